import type { FailureReason } from '../config/config.ts'

/** Upstream did not give what was asked of it. The message is fit for a client: no URLs with queries, no secrets. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure'
  readonly reason: FailureReason
  /** Upstream's HTTP status, where it answered at all. */
  readonly status: number | undefined
  /** Seconds for which upstream wants to be left alone, or until we ask it again. */
  readonly retryAfter: number | undefined

  constructor(reason: FailureReason, message: string, details: { status?: number; retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: details.cause })
    this.reason = reason
    this.status = details.status
    this.retryAfter = details.retryAfter
  }
}
