import { UpstreamFailure } from './failure.ts'

/**
 * Whether an endpoint is worth asking. A dead upstream costs the first caller its time-out, not everyone: while the
 * breaker is open, requests fail at once, and one probe at a time finds out when upstream is back. Pure; all times are
 * monotonic milliseconds.
 */
export type Breaker =
  | { state: 'closed' }
  | { state: 'open'; /** What it opened for. */ failure: UpstreamFailure; /** Probes that failed since. */ failed: number; /** Not in the future: a probe is under way. */ probeAt: number }

export const CLOSED: Breaker = { state: 'closed' }

const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** How near the next probe must be for a patient caller to wait for it. */
const SOON = 1000

/** A request did not get through. The first probe is due at once. */
export function tripped(breaker: Breaker, failure: UpstreamFailure, now: number): Breaker {
  return breaker.state === 'open' ? breaker : { state: 'open', failure, failed: 0, probeAt: now }
}

/** A probe failed: pauses double, less up to a fifth by chance, so that replicas do not probe in step. */
export function probedInVain(breaker: Breaker, now: number, chance: number): Breaker {
  if (breaker.state === 'closed') return breaker
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(breaker.failed, 10)) * (1 - chance / 5)
  return { ...breaker, failed: breaker.failed + 1, probeAt: now + pause }
}

/**
 * What a request may do.
 * @param patient whether it would rather wait for a probe that is near than fail: its caller has nothing cached
 */
export function admit(breaker: Breaker, patient: boolean, now: number): 'pass' | 'wait' | UpstreamFailure {
  if (breaker.state === 'closed') return 'pass'
  const wait = breaker.probeAt - now
  if (patient && wait <= SOON) return 'wait'
  const { reason, message, cause } = breaker.failure
  return new UpstreamFailure(reason, message, { retryAfter: Math.max(1, Math.ceil(wait / 1000)), cause })
}
