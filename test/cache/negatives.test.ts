import t, { type Test } from 'tap'
import { Negatives, RememberedFailure } from '../../lib/cache/negatives.ts'
import type { FailureReason } from '../../lib/config/config.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'
import { FakeClock } from '../upstream/support.ts'

function scene(t: Test) {
  const [store, clock] = [new MemoryMetaStore(), new FakeClock()]
  t.teardown(() => store.close())
  return { clock, store, negatives: new Negatives(store, clock), replica: new Negatives(store, clock) }
}

/** An upstream that always says the same, and counts how often. */
function upstream(answer: unknown) {
  const asked = { count: 0, ask: async (): Promise<unknown> => {
    asked.count += 1
    if (answer instanceof Error) throw answer
    return answer
  } }
  return asked
}

const NOT_FOUND = new UpstreamFailure('not-found', 'registry.example does not have it', { status: 404 })

t.test('what upstream does not have, or denies, is not asked for again within five seconds', async t => {
  for (const failure of [NOT_FOUND, new UpstreamFailure('denied', 'no', { status: 403 }), new UpstreamFailure('denied', 'no')]) {
    const { clock, negatives, replica } = scene(t)
    const asked = upstream(failure)
    await t.rejects(negatives.guard('a', asked.ask), failure)
    clock.advance(4999)
    for (const guard of [negatives, replica]) {
      const error: unknown = await guard.guard('a', asked.ask).catch((error: unknown) => error)
      t.ok(error instanceof RememberedFailure)
      t.match(error, { reason: failure.reason, message: failure.message, status: failure.status })
    }
    t.equal(asked.count, 1)
    clock.advance(1)
    const again: unknown = await negatives.guard('a', asked.ask).catch((error: unknown) => error)
    t.equal(again, failure)
    t.equal(asked.count, 2)
  }
})

t.test('every other failure is asked about again', async t => {
  const { negatives } = scene(t)
  const others = (['unreachable', 'timeout', 'server-error', 'rate-limited'] as FailureReason[]).map(reason => new UpstreamFailure(reason, ''))
  for (const failure of [...others, new Error('bug'), new TypeError()]) {
    const asked = upstream(failure)
    for (let turn = 0; turn < 3; turn += 1) t.equal(await negatives.guard('a', asked.ask).catch((error: unknown) => error), failure)
    t.equal(asked.count, 3)
  }
})

t.test('answers are given, and not remembered', async t => {
  const { negatives } = scene(t)
  const asked = upstream('found')
  for (let turn = 0; turn < 3; turn += 1) t.equal(await negatives.guard('a', asked.ask), 'found')
  t.equal(asked.count, 3)
})

t.test('keys do not meet', async t => {
  const { negatives } = scene(t)
  await t.rejects(negatives.guard('a', upstream(NOT_FOUND).ask))
  t.equal(await negatives.guard('b', upstream('found').ask), 'found')
  await t.rejects(negatives.guard('a', upstream('found').ask), NOT_FOUND)
})

t.test('a remembered failure is not remembered anew: it ends', async t => {
  const { clock, negatives } = scene(t)
  const asked = upstream(NOT_FOUND)
  for (let second = 0; second < 10; second += 1, clock.advance(1000)) await t.rejects(negatives.guard('a', asked.ask))
  t.equal(asked.count, 2)
})

t.test('what is no record of ours is none: another version, or anybody, may write to a shared store', async t => {
  const { clock, negatives, store } = scene(t)
  const until = clock.now() + 1000
  for (const foreign of [
    'not json', 'null', '5', '[]', '{}', JSON.stringify({ reason: 'nonsense', message: '', until }), JSON.stringify({ reason: 'toString', message: '', until }),
    JSON.stringify({ reason: 'not-found', until }), JSON.stringify({ reason: 'not-found', message: '', until: 'soon' }),
  ]) {
    await store.set('negative:a', Buffer.from(foreign), 5)
    t.equal(await negatives.guard('a', upstream('found').ask), 'found', foreign)
  }
})

t.test('distribution #1686: a clock that is set back does not hide an image for hours', async t => {
  const { clock, negatives, store } = scene(t)
  const until = clock.now() + 3600_000
  await store.set('negative:a', Buffer.from(JSON.stringify({ reason: 'not-found', message: '', until })), 5)
  t.equal(await negatives.guard('a', upstream('found').ask), 'found')
})
