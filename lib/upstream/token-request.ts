import type { EndpointConfig } from '../config/config.ts'
import { ANSWER_CAP, discard, readCapped } from './body.ts'
import { UpstreamFailure } from './failure.ts'
import { socketFailure } from './socket-failure.ts'
import { reasonOf } from './status.ts'
import type { Token, TokenQuestion } from './token-cache.ts'
import { headerOf, type HttpResponse, type Send } from './transport.ts'
import { isRedirect } from './redirect.ts'

export type Credentials = NonNullable<EndpointConfig['credentials']>

// What clients of the distribution token protocol assume where `expires_in` is missing.
const DEFAULT_LIFE = 60
const MAX_REDIRECTS = 3

/**
 * Asks a token server, with Basic where there are credentials. The realm has been judged by then.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @throws UpstreamFailure; never not-found, which would read as the image's absence
 */
export async function requestToken(send: Send, question: TokenQuestion, credentials: Credentials | undefined): Promise<Token> {
  const url = new URL(question.realm)
  if (question.service !== undefined) url.searchParams.set('service', question.service)
  if (question.scope !== undefined) url.searchParams.set('scope', question.scope)
  const headers = { accept: 'application/json', ...(credentials === undefined ? {} : { authorization: basic(credentials) }) }
  const { status, body } = await followWithin(send, url, headers)
  if (status !== 200) {
    discard(body)
    throw refusal(url.host, status, credentials)
  }
  return parseToken(await readAnswer(body, url), url.host)
}

/** @see https://www.rfc-editor.org/rfc/rfc7617 */
export function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** Redirects only within the origin that was judged. */
async function followWithin(send: Send, start: URL, headers: Record<string, string>): Promise<HttpResponse> {
  let url = start
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await send({ method: 'GET', url, headers })
    if (!isRedirect(response.status)) return response
    discard(response.body)
    const location = headerOf(response.headers, 'location') ?? ''
    const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined
    if (target?.origin !== start.origin) throw new UpstreamFailure('server-error', `token server ${start.host} redirects elsewhere: not followed`)
    url = target
  }
  throw new UpstreamFailure('server-error', `token server ${start.host} redirects in circles`)
}

function refusal(host: string, status: number, credentials: Credentials | undefined): UpstreamFailure {
  const reason = reasonOf(status)
  if (reason === 'denied') {
    const whom = credentials === undefined ? 'gives no anonymous token' : "refuses the endpoint's credentials"
    return new UpstreamFailure('denied', `token server ${host} ${whom} (HTTP ${status})`, { status })
  }
  return new UpstreamFailure(reason === 'not-found' ? 'server-error' : reason, `token server ${host} answers with an error (HTTP ${status})`, { status })
}

async function readAnswer(body: HttpResponse['body'], url: URL): Promise<Buffer> {
  const answer = await readCapped(body, ANSWER_CAP).catch((error: unknown) => { throw socketFailure(error, url) })
  if (answer === undefined) throw new UpstreamFailure('server-error', `token server ${url.host} answers with more than ${ANSWER_CAP} bytes`)
  return answer
}

function parseToken(answer: Buffer, host: string): Token {
  const { token, access_token, expires_in } = parseFields(answer)
  const value = [token, access_token].find(isToken)
  if (value === undefined) throw new UpstreamFailure('server-error', `token server ${host} answers without a token`)
  const life = Number(expires_in)
  return { value, expiresIn: life > 0 ? life : DEFAULT_LIFE }
}

function parseFields(answer: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer.toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Anything else would not be one header, or more than one. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}
