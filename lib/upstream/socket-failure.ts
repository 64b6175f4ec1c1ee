import type { FailureReason } from '../config/config.ts'
import { UpstreamFailure } from './failure.ts'

/** Codes of undici, Node and OpenSSL: what they mean to the cache, and, after the host's name, to a reader. */
const KNOWN: Readonly<Record<string, [FailureReason, string]>> = {
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'accepts no connection in time'],
  ETIMEDOUT: ['timeout', 'accepts no connection in time'],
  UND_ERR_HEADERS_TIMEOUT: ['timeout', 'does not answer in time'],
  UND_ERR_BODY_TIMEOUT: ['timeout', 'stopped in the middle of its answer'],
  UND_ERR_SOCKET: ['unreachable', 'broke the connection'],
  ECONNRESET: ['unreachable', 'broke the connection'],
  EPIPE: ['unreachable', 'broke the connection'],
  ECONNREFUSED: ['unreachable', 'refuses connections'],
  ENOTFOUND: ['unreachable', 'is a name that DNS does not know'],
  EAI_AGAIN: ['unreachable', 'cannot be looked up: DNS does not answer'],
  PROXY_TIMEOUT: ['timeout', 'cannot be reached through the proxy in time'],
  PROXY_FAILED: ['unreachable', 'is not reachable through the proxy'],
  UND_ERR_ABORTED: ['unreachable', 'is not reachable through the proxy'],
  UND_ERR_INVALID_ARG: ['unreachable', 'is not reachable through the proxy'],
  UND_ERR_HEADERS_OVERFLOW: ['server-error', 'answers with too many headers'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['server-error', 'sends another length than it promised'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['unreachable', 'shows a certificate for another name'],
  CERT_HAS_EXPIRED: ['unreachable', 'shows a certificate that has expired'],
  CERT_NOT_YET_VALID: ['unreachable', 'shows a certificate that is not valid yet'],
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Broken before an answer began: as a rule the server closed an idle connection just as we used it. */
export function isBrokenSocket(error: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error))
}

/** What a connection that failed means, in words that name the host and no more of the URL. */
export function socketFailure(error: unknown, url: URL): UpstreamFailure {
  const code = codeOf(error)
  const [reason, sentence] = KNOWN[code] ?? guess(code, error)
  const label = code === '' ? '' : ` (${code})`
  return new UpstreamFailure(reason, `${url.host} ${sentence}${label}`, { cause: error })
}

function guess(code: string, error: unknown): [FailureReason, string] {
  if (UNTRUSTED.has(code) || /UnknownIssuer|self-signed/i.test(messageOf(error))) {
    return ['unreachable', "shows a certificate of an authority that we do not know: the endpoint's tls.caFile adds it"]
  }
  if (code.includes('CERTIFICATE')) return ['unreachable', "asks for a client certificate, or refuses the endpoint's tls.certFile"]
  if (error instanceof Error && error.name === 'HTTPParserError') return ['server-error', 'answers something that is not HTTP: is it https?']
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return ['unreachable', 'fails in the TLS handshake: is it http?']
  return ['unreachable', 'is not reachable']
}

/** Empty where there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
