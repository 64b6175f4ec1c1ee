/** The error codes of the OCI distribution spec and of docker's registry, each with the HTTP status that it means here. */
export const ERROR_STATUS = {
  BLOB_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  RANGE_INVALID: 416,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

export interface OciErrorOptions {
  /** Overrides the code's own status: 504 for an UNAVAILABLE that is a timeout. */
  status?: number
  /** Extra response headers, lower case: `retry-after`, `allow`. */
  headers?: Record<string, string>
  /** Machine-readable context for the client; never secrets. */
  detail?: unknown
  cause?: unknown
}

/** The one error that a client is told about. Whatever else is thrown is answered as UNKNOWN, and logged. */
export class OciError extends Error {
  override readonly name = 'OciError'
  readonly code: ErrorCode
  readonly status: number
  readonly headers: Record<string, string>
  readonly detail: unknown

  constructor(code: ErrorCode, message: string, options: OciErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.status = options.status ?? ERROR_STATUS[code]
    this.headers = options.headers ?? {}
    this.detail = options.detail ?? null
  }

  /** The body that the distribution spec prescribes: `{"errors":[{code,message,detail}]}`. */
  body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message, detail: this.detail }] })
  }
}
