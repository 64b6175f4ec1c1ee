import t, { type Test } from 'tap'
import { Gate } from '../../lib/upstream/gate.ts'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'
import { failureOf, FakeClock, recordingLog } from './support.ts'

const dead = new UpstreamFailure('unreachable', 'registry.example refuses connections')
const limited = new UpstreamFailure('rate-limited', 'registry.example wants to be left alone', { status: 429, retryAfter: 30 })

interface Set { gate: Gate; clock: FakeClock; log: ReturnType<typeof recordingLog>; answer(up: boolean): Promise<void>; probes(): number }

function setUp(t: Test): Set {
  const clock = new FakeClock()
  const log = recordingLog()
  let settle: (up: boolean) => void = () => {}
  let probes = 0
  const probe = (): Promise<boolean> => new Promise(resolve => { probes += 1; settle = resolve })
  const gate = new Gate({ name: 'corp', clock, log, random: () => 0, probe })
  t.teardown(() => gate.close())
  const answer = async (up: boolean): Promise<void> => { settle(up); await new Promise(resolve => setImmediate(resolve)) }
  return { gate, clock, log, answer, probes: () => probes }
}

t.test('a dead upstream costs one time-out, not everyone (Harbor #18294)', async t => {
  const { gate, clock, log, answer, probes } = setUp(t)
  await gate.pass(true)
  gate.broken(dead)
  gate.broken(dead)
  t.equal(probes(), 1, 'probed at once, and once')
  t.match(await failureOf(gate.pass(false)), { reason: 'unreachable', retryAfter: 1 })
  await answer(false)
  t.same(clock.pending(), [1000])
  clock.advance(1000)
  t.equal(probes(), 2)
  await answer(false)
  t.same(clock.pending(), [2000])
  t.match(await failureOf(gate.pass(true)), { retryAfter: 2 }, 'not even the patient wait that long')
  clock.advance(2000)
  await answer(true)
  await gate.pass(false)
  t.same(log.lines.map(({ level }) => level), ['warn', 'info'])
  t.match(log.lines[0]?.message, 'refuses connections')
})

t.test('who has nothing cached waits for the probe that runs', async t => {
  const { gate, answer } = setUp(t)
  gate.broken(dead)
  const waiting = [gate.pass(true), gate.pass(true)]
  await answer(true)
  await Promise.all(waiting)
  t.pass('and passes when it gets through')
  gate.broken(dead)
  const again = failureOf(gate.pass(true))
  await answer(false)
  t.match(await again, { reason: 'unreachable' }, 'or fails, without waiting for the next one')
})

t.test('who has nothing cached waits for the probe that is due', async t => {
  const { gate, clock, answer } = setUp(t)
  gate.broken(dead)
  await answer(false)
  const waiting = gate.pass(true)
  clock.advance(1000)
  await answer(true)
  await waiting
})

t.test('it opens again', async t => {
  const { gate, log, answer } = setUp(t)
  gate.broken(dead)
  await answer(true)
  gate.broken(dead)
  await answer(true)
  t.same(log.lines.map(({ level }) => level), ['warn', 'info', 'warn', 'info'])
})

t.test('a 429 leaves upstream alone until Retry-After is over', async t => {
  const { gate, clock, log } = setUp(t)
  gate.limited(limited)
  gate.limited(limited)
  t.match(await failureOf(gate.pass(true)), { reason: 'rate-limited', retryAfter: 30, status: 429 })
  clock.advance(29_500)
  t.match(await failureOf(gate.pass(false)), { retryAfter: 1 })
  clock.advance(500)
  await gate.pass(false)
  t.equal(log.lines.length, 1)
  gate.limited(limited)
  t.equal(log.lines.length, 2, 'said again when it happens again')
})

t.test('the longest Retry-After counts, and none of 0 s', async t => {
  const { gate } = setUp(t)
  gate.limited(new UpstreamFailure('rate-limited', '', { retryAfter: 0 }))
  await gate.pass(false)
  gate.limited(limited)
  gate.limited(new UpstreamFailure('rate-limited', '', { retryAfter: 5 }))
  t.match(await failureOf(gate.pass(false)), { retryAfter: 30 })
})

t.test('closing ends the probing and the waiting', async t => {
  const { gate, clock, answer, probes } = setUp(t)
  gate.broken(dead)
  await answer(false)
  const waiting = failureOf(gate.pass(true))
  gate.close()
  t.match(await waiting, { reason: 'unreachable' })
  t.same(clock.pending(), [])
  t.equal(probes(), 1)
  gate.broken(dead)
  t.equal(probes(), 1)
})
