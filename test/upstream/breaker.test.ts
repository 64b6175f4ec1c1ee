import t from 'tap'
import { admit, CLOSED, probedInVain, tripped, type Breaker } from '../../lib/upstream/breaker.ts'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'

const failure = new UpstreamFailure('timeout', 'registry.example does not answer in time')

const probeAt = (breaker: Breaker): number => breaker.state === 'open' ? breaker.probeAt : Number.NaN

t.test('closed: everybody passes', async t => {
  t.equal(admit(CLOSED, true, 0), 'pass')
  t.equal(admit(CLOSED, false, 0), 'pass')
  t.equal(probedInVain(CLOSED, 0, 0), CLOSED)
})

t.test('the first failure opens it, with a probe at once; later ones change nothing', async t => {
  const open = tripped(CLOSED, failure, 5000)
  t.match(open, { state: 'open', failed: 0, probeAt: 5000 })
  t.equal(tripped(open, new UpstreamFailure('unreachable', 'other'), 9000), open)
})

t.test('pauses double up to half a minute', async t => {
  let breaker = tripped(CLOSED, failure, 0)
  const pauses = Array.from({ length: 8 }, () => {
    breaker = probedInVain(breaker, 0, 0)
    return probeAt(breaker) / 1000
  })
  t.same(pauses, [1, 2, 4, 8, 16, 30, 30, 30])
})

t.test('pauses are jittered, and never longer', async t => {
  t.equal(probeAt(probedInVain(tripped(CLOSED, failure, 0), 0, 1)), 800)
})

t.test('open: fails with the reason it opened for, and says when to come back', async t => {
  let breaker = tripped(CLOSED, failure, 0)
  for (let probes = 0; probes < 4; probes += 1) breaker = probedInVain(breaker, 0, 0)
  t.match(admit(breaker, true, 0), { reason: 'timeout', retryAfter: 8, message: failure.message })
  t.match(admit(breaker, false, 7900), { reason: 'timeout', retryAfter: 1 })
})

t.test('open, a probe runs or is near: the patient wait, the others do not', async t => {
  const probing = tripped(CLOSED, failure, 0)
  t.equal(admit(probing, true, 2500), 'wait')
  t.match(admit(probing, false, 2500), { reason: 'timeout', retryAfter: 1 })
  const pausing = probedInVain(probedInVain(probing, 0, 0), 0, 0)
  t.match(admit(pausing, true, 999), { reason: 'timeout', retryAfter: 2 })
  t.equal(admit(pausing, true, 1000), 'wait')
})
