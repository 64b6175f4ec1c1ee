import t from 'tap'
import { AdvisoryMetaStore } from '../../lib/store/advisory-meta-store.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import type { MetaStore } from '../../lib/store/meta-store.ts'
import { FakeClock, recordingLog } from '../upstream/support.ts'
import { metaStoreSuite } from './suites/meta-store.ts'

t.test('an advisory MetaStore over one that is well is a MetaStore', async t => {
  metaStoreSuite(t, async () => new AdvisoryMetaStore(new MemoryMetaStore(), new FakeClock(), recordingLog()))
})

const WARNING = { level: 'warn', message: 'redis does not answer: pulls go on from the file system' }
const RELIEF = { level: 'info', message: 'redis answers again' }

/** A store that fails as long as it is told to, and counts what it is asked. */
function failing(): MetaStore & { asked: number; isDown: boolean } {
  const answer = async (): Promise<Buffer> => {
    store.asked += 1
    if (store.isDown) throw new Error('down')
    return Buffer.from('up')
  }
  const store = { asked: 0, isDown: true, get: answer, set: async () => void await answer(), delete: async () => void await answer(), close: async () => {} }
  return store
}

t.test('nothing is found in a store that fails, and it is left alone for a second', async t => {
  const [store, clock, log] = [failing(), new FakeClock(), recordingLog()]
  const advisory = new AdvisoryMetaStore(store, clock, log)
  const ask = async (asked: number, found?: string): Promise<void> => {
    t.equal((await advisory.get('a'))?.toString(), found)
    t.equal(store.asked, asked)
  }
  await ask(1)
  await ask(1)
  t.equal(await advisory.set('b', Buffer.from('b'), 1), undefined)
  t.equal(await advisory.delete('c'), undefined)
  t.equal(store.asked, 1)
  clock.advance(999)
  await ask(1)
  clock.advance(1)
  await ask(2)
  await ask(2)
  store.isDown = false
  clock.advance(999)
  await ask(2)
  t.same(log.lines, [WARNING], 'said once')
  clock.advance(1)
  await ask(3, 'up')
  await ask(4, 'up')
  t.same(log.lines, [WARNING, RELIEF])
  store.isDown = true
  await ask(5)
  t.same(log.lines, [WARNING, RELIEF, WARNING])
})

t.test('each command may be the one that finds out', async t => {
  for (const command of ['get', 'set', 'delete'] as const) {
    const [store, log] = [failing(), recordingLog()]
    const advisory = new AdvisoryMetaStore(store, new FakeClock(), log)
    t.equal(await (command === 'set' ? advisory.set('a', Buffer.from('b'), 1) : advisory[command]('a')), undefined)
    t.same(log.lines, [WARNING], command)
  }
})

t.test('many that fail at once are one failure', async t => {
  const [store, log] = [failing(), recordingLog()]
  const advisory = new AdvisoryMetaStore(store, new FakeClock(), log)
  await Promise.all(Array.from({ length: 50 }, () => advisory.get('a')))
  t.same(log.lines, [WARNING])
})

t.test('what could not be written is not read in its old state when the store is back', async t => {
  const [store, clock] = [new MemoryMetaStore(), new FakeClock()]
  let isDown = false
  const shaky: MetaStore = {
    get: key => store.get(key),
    set: (key, value, ttl) => (isDown ? Promise.reject(new Error('down')) : store.set(key, value, ttl)),
    delete: key => (isDown ? Promise.reject(new Error('down')) : store.delete(key)),
    close: () => store.close(),
  }
  const advisory = new AdvisoryMetaStore(shaky, clock, recordingLog())
  t.teardown(() => advisory.close())
  for (const key of ['tag', 'other', 'gone']) await advisory.set(key, Buffer.from('old'), 300)
  isDown = true
  await advisory.set('tag', Buffer.from('new'), 300)
  await advisory.delete('gone')
  isDown = false
  clock.advance(1000)
  t.equal(await advisory.get('tag'), undefined, 'the file has it')
  t.equal(await advisory.get('gone'), undefined)
  t.equal((await advisory.get('other'))?.toString(), 'old')
  await advisory.set('tag', Buffer.from('newer'), 300)
  t.equal((await advisory.get('tag'))?.toString(), 'newer')
})
