import type { FailureReason } from '../config/config.ts'
import type { TagRecord } from '../store/repositories.ts'
import type { Policy } from './project.ts'

/** Pure decisions of design.md's table: functions of record, clock and policy. */

/** Whether a cached tag may be served without asking upstream. */
export function isTrusted(record: TagRecord, policy: Policy, now: number): boolean {
  if (policy.isImmutable(record.tag)) return true
  const age = now - record.confirmedAt
  // A confirmation from the future means that the clock was set back: no age is known then.
  return age >= 0 && age < policy.freshness
}

/** Whether a cached copy stands in for an upstream that fails this way. */
export function maySubstitute(reason: FailureReason, policy: Policy): boolean {
  return policy.serveStaleOn.has(reason)
}

/** Failures that are upstream's considered answer about one name, worth remembering for a moment. */
export function isNegativeAnswer(reason: FailureReason): boolean {
  return reason === 'not-found' || reason === 'denied'
}

/** What a client reads in `Warning`. ASCII without quotes, as it is put into a quoted string. */
export function staleWarning(record: TagRecord, reason: FailureReason, upstream: string): string {
  const confirmed = new Date(record.confirmedAt).toISOString()
  return `entrepot serves its copy of ${record.tag}, last confirmed by ${upstream} at ${confirmed}: upstream ${WORDS[reason]}`
}

const WORDS: Record<FailureReason, string> = {
  'unreachable': 'is unreachable',
  'timeout': 'does not answer in time',
  'server-error': 'answers with an error',
  'rate-limited': 'limits our rate',
  'denied': 'denies access',
  'not-found': 'does not have it any more',
}
