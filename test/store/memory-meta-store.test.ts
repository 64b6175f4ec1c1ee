import t from 'tap'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { metaStoreSuite } from './suites/meta-store.ts'

t.test('MemoryMetaStore is a MetaStore', async t => metaStoreSuite(t, async () => new MemoryMetaStore()))

t.test('memory is bounded: the oldest goes first', async t => {
  const store = new MemoryMetaStore(100 * 1024)
  t.teardown(() => store.close())
  for (let number = 0; number < 1000; number += 1) await store.set(`k${number}`, Buffer.alloc(1024), 60)
  const held = await holding(store, 1000)
  t.ok(held.length <= 100 && held.length >= 85, `${held.length} of 100 that fit`)
  t.same(held, Array.from({ length: held.length }, (_, index) => 1000 - held.length + index))
})

t.test('a value above the bound is not kept, and costs no other its place', async t => {
  const store = new MemoryMetaStore(1024)
  t.teardown(() => store.close())
  await store.set('small', Buffer.alloc(100), 60)
  await store.set('large', Buffer.alloc(100), 60)
  await store.set('large', Buffer.alloc(1025), 60)
  t.equal(await store.get('large'), undefined, 'nor is what it replaces')
  t.ok(await store.get('small'))
})

t.test('a value set over and over costs its room once', async t => {
  const store = new MemoryMetaStore(1024)
  t.teardown(() => store.close())
  await store.set('other', Buffer.alloc(100), 60)
  for (let turn = 0; turn < 100; turn += 1) await store.set('a', Buffer.alloc(900), 60)
  t.ok(await store.get('other'))
})

t.test('the number of values is bounded, too', async t => {
  const store = new MemoryMetaStore()
  t.teardown(() => store.close())
  for (let number = 0; number < 50_001; number += 1) await store.set(`k${number}`, Buffer.alloc(0), 60)
  t.equal(await store.get('k0'), undefined)
  t.ok(await store.get('k50000'))
})

async function holding(store: MemoryMetaStore, count: number): Promise<number[]> {
  const found = await Promise.all(Array.from({ length: count }, (_, number) => store.get(`k${number}`)))
  return found.flatMap((value, number) => (value ? [number] : []))
}
