import type { FailureReason } from '../config/config.ts'
import { OciError, type ErrorCode } from '../oci/errors.ts'
import { UpstreamFailure } from '../upstream/failure.ts'

/** What a client is told when upstream fails and no copy stands in: never a 404 for what may exist, never a 502 (containerd does not retry it). */
const ANSWERS: Record<Exclude<FailureReason, 'not-found'>, { code: ErrorCode; status?: number }> = {
  'unreachable': { code: 'UNAVAILABLE' },
  'timeout': { code: 'UNAVAILABLE', status: 504 },
  'server-error': { code: 'UNAVAILABLE' },
  'rate-limited': { code: 'TOOMANYREQUESTS' },
  'denied': { code: 'DENIED' },
}

/** @param unknown the code for content that upstream does not have */
export function clientError(error: unknown, unknown: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN'): OciError {
  if (error instanceof OciError) return error
  if (!(error instanceof UpstreamFailure)) {
    return new OciError('UNKNOWN', 'entrepot failed to answer: its log says why', { cause: error })
  }
  const { code, status } = error.reason === 'not-found' ? { code: unknown } : ANSWERS[error.reason]
  return new OciError(code, error.message, {
    cause: error,
    ...(status === undefined ? {} : { status }),
    ...(error.retryAfter === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(error.retryAfter)) } }),
  })
}
