import type { Test } from 'tap'
import type { MetaStore } from '../../../lib/store/meta-store.ts'

const ANY_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** What every MetaStore that is well does. @param create an empty one; the suite closes it */
export function metaStoreSuite(t: Test, create: (t: Test) => Promise<MetaStore>): void {
  const test = (name: string, run: (t: Test, store: MetaStore) => Promise<void>): void => {
    void t.test(name, async t => {
      const store = await create(t)
      t.teardown(() => store.close())
      await run(t, store)
    })
  }

  test('what is not here is undefined', async (t, store) => {
    t.equal(await store.get('a'), undefined)
    t.equal(await store.delete('a'), undefined)
  })

  test('bytes come back as they were set', async (t, store) => {
    for (const [key, value] of [['a', Buffer.from('{}')], ['empty', Buffer.alloc(0)], ['any', ANY_BYTES], ['large', Buffer.alloc(256 * 1024, ANY_BYTES)]] as const) {
      t.equal(await store.set(key, value, 60), undefined)
      const found = await store.get(key)
      t.ok(Buffer.isBuffer(found) && found.equals(value), key)
    }
  })

  test('keys are any text, and do not meet', async (t, store) => {
    const keys = ['a', 'A', 'a ', 'a\n', 'ä', 'a:b', 'a/b', '*', '__proto__', 'constructor', '0', '1'.repeat(1000), 'repositories/hub/library/alpine/_tags/3.20.json']
    for (const key of keys) await store.set(key, Buffer.from(key), 60)
    for (const key of keys) t.equal((await store.get(key))?.toString(), key, JSON.stringify(key))
    await store.delete('*')
    t.same(await Promise.all(keys.map(async key => (await store.get(key)) === undefined)), keys.map(key => key === '*'))
  })

  test('the last value counts, until it is deleted', async (t, store) => {
    await store.set('a', Buffer.from('1'), 60)
    await store.set('a', Buffer.from('2'), 60)
    t.equal((await store.get('a'))?.toString(), '2')
    t.equal(await store.delete('a'), undefined)
    t.equal(await store.get('a'), undefined)
    await store.set('a', Buffer.from('3'), 60)
    t.equal((await store.get('a'))?.toString(), '3')
  })

  test('many at once', async (t, store) => {
    await Promise.all(Array.from({ length: 500 }, (_, number) => store.set(`k${number}`, Buffer.from(String(number)), 60)))
    const found = await Promise.all(Array.from({ length: 500 }, (_, number) => store.get(`k${number}`)))
    t.same(found.map(String), Array.from({ length: 500 }, (_, number) => String(number)))
  })
}
