import assert from 'node:assert/strict'
import t from 'tap'
import { AdvisoryMetaStore } from '../../lib/store/advisory-meta-store.ts'
import type { MetaStore } from '../../lib/store/meta-store.ts'
import { RedisMetaStore } from '../../lib/store/redis-meta-store.ts'
import { raw } from '../support/http.ts'
import { redisServer } from '../support/redis.ts'
import { FakeClock, recordingLog } from '../upstream/support.ts'
import { metaStoreSuite } from './suites/meta-store.ts'

const server = await redisServer(t)
/** Milliseconds: a busy machine is no failure here. */
const PATIENCE = 20_000

let stores = 0

/** Under a prefix of its own: an empty one. Resolves when it is connected. */
async function connected(config: { url: string; password?: string; keyPrefix?: string } = server, patience = PATIENCE): Promise<RedisMetaStore> {
  const store = new RedisMetaStore({ keyPrefix: `test-${stores += 1}:`, ...config }, recordingLog(), patience)
  await answer(store, () => {})
  return store
}

/** Asks until a value comes through, ten seconds at most. */
async function answer(store: MetaStore, between: () => void): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; between()) {
    const isSet = await store.set('up', Buffer.from('1'), 60).then(() => store.get('up')).then(value => value !== undefined, () => false)
    if (isSet) return store.delete('up')
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.fail('redis does not answer')
}

t.test('RedisMetaStore is a MetaStore', async t => metaStoreSuite(t, () => connected()))

t.test('key prefixes keep caches apart, and lifetimes are seconds', async t => {
  const [one, other] = [await connected({ ...server, keyPrefix: 'one:' }), await connected({ ...server, keyPrefix: 'other:' })]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  await one.set('a', Buffer.from('1'), 300)
  t.equal(await other.get('a'), undefined)
  const said = await raw(`127.0.0.1:${server.port}`, 'TTL one:a\r\nGET one:a\r\nQUIT\r\n')
  t.match(said, /^:(300|299)\r\n\$1\r\n1\r\n/)
})

t.test('the password is used, whether the url names a user or not', async t => {
  const password = 'p%40ss:/ä@'
  const closed = await redisServer(t, { password })
  for (const url of [closed.url, closed.url.replace('//', '//default@'), closed.url.replace('//', '//default:wrong@')]) {
    const store = await connected({ url, password })
    t.same(await store.get('a'), undefined, url)
    await store.close()
  }
  const stranger = new RedisMetaStore({ url: closed.url, keyPrefix: '' }, recordingLog())
  t.teardown(() => stranger.close())
  await t.rejects(stranger.get('a'))
})

t.test('a store that was never there fails at once', async t => {
  const store = new RedisMetaStore({ url: 'redis://127.0.0.1:1/0', keyPrefix: '' }, recordingLog())
  t.teardown(() => store.close())
  await t.rejects(store.get('a'))
  await t.rejects(store.set('a', Buffer.from('b'), 1))
  await t.rejects(store.delete('a'))
})

t.test('redis that hangs costs each command its time-out, and the advisory store the first one', async t => {
  const hanging = await redisServer(t)
  const store = await connected(hanging, 250)
  const log = recordingLog()
  const advisory = new AdvisoryMetaStore(store, new FakeClock(), log)
  t.teardown(() => advisory.close())
  await raw(`127.0.0.1:${hanging.port}`, 'CLIENT PAUSE 60000 ALL\r\n', { quiet: 20 })
  await t.rejects(store.get('a'), { message: /timed out/i })
  for (let turn = 0; turn < 1000; turn += 1) await advisory.get('a')
  t.equal(log.lines.length, 1)
})

t.test('redis gone: nothing is found; back: it is used again', async t => {
  const shaky = await redisServer(t)
  const [clock, log] = [new FakeClock(), recordingLog()]
  const advisory = new AdvisoryMetaStore(await connected(shaky), clock, log)
  t.teardown(() => advisory.close())
  await advisory.set('a', Buffer.from('1'), 300)
  t.equal((await advisory.get('a'))?.toString(), '1')

  await Promise.all([shaky.stop(), ...Array.from({ length: 20 }, () => advisory.get('a'))])
  for (let turn = 0; turn < 20; turn += 1, clock.advance(1000)) {
    t.equal(await advisory.get('a'), undefined)
    t.equal(await advisory.set('a', Buffer.from('2'), 300), undefined)
  }
  await shaky.start()
  await answer(advisory, () => clock.advance(1000))
  await advisory.set('a', Buffer.from('3'), 300)
  t.equal((await advisory.get('a'))?.toString(), '3')
  t.same(log.lines.map(({ level }) => level), ['warn', 'info'], 'said once each')
})
