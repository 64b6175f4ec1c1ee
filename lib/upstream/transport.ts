import type { Readable } from 'node:stream'
import type { EndpointConfig } from '../config/config.ts'
import { VERSION } from '../version.ts'
import { createDispatcher, foreignTls, ownTls, type Dispatcher, type Environment, type TlsOptions } from './dispatcher.ts'
import { isBrokenSocket, socketFailure } from './socket-failure.ts'

/** A GET or HEAD, exactly as it goes out: no redirect is followed, nothing is decompressed. */
export interface HttpRequest {
  method: 'GET' | 'HEAD'
  url: URL
  headers: Record<string, string>
  /** On a connection of its own, past the pool and its queue. */
  fresh?: true
}

export interface HttpResponse {
  status: number
  headers: HttpHeaders
  /** To be read to its end or destroyed: until then it holds its connection. */
  body: Readable
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>

/** @throws UpstreamFailure unreachable, timeout, or server-error for what is no HTTP */
export type Send = (request: HttpRequest) => Promise<HttpResponse>

export interface Transport {
  send: Send
  /** Idle connections are closed at once, the others when their response is over. */
  close(): Promise<void>
}

// Digests are of the bytes as they are: nothing on the way may be compressed.
const COMMON = { 'user-agent': `entrepot/${VERSION}`, 'accept-encoding': 'identity' }

/** Of a header that should be there once, the first. */
export function headerOf(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Connections to the endpoint's own origin, with its certificates, and, apart from these, to all others. */
export function createTransport(endpoint: EndpointConfig, env: Environment): Transport {
  const { origin } = new URL(endpoint.url)
  // The fresh ones are never used twice, and so never stale, and never waited for.
  const connections = (tls: TlsOptions): Connections =>
    ({ pooled: createDispatcher(endpoint, tls, env), fresh: createDispatcher(endpoint, tls, env) })
  const own = connections(ownTls(endpoint.tls))
  const foreign = connections(foreignTls(endpoint.tls))
  return {
    send: request => sendTwice(request, request.url.origin === origin ? own : foreign, endpoint.timeouts),
    async close() {
      await Promise.all([own, foreign].flatMap(({ pooled, fresh }) => [pooled.close(), fresh.close()]))
    },
  }
}

interface Connections {
  pooled: Dispatcher
  fresh: Dispatcher
}

/** Once more at once where a connection broke before any answer: a server that closes an idle one can't tell whom it hits. */
async function sendTwice(request: HttpRequest, { pooled, fresh }: Connections, timeouts: EndpointConfig['timeouts']): Promise<HttpResponse> {
  try {
    if (request.fresh === undefined) return await sendOnce(request, pooled, timeouts, false)
  } catch (error) {
    if (!isBrokenSocket(error)) throw socketFailure(error, request.url)
  }
  try {
    return await sendOnce(request, fresh, timeouts, true)
  } catch (error) {
    throw socketFailure(error, request.url)
  }
}

async function sendOnce({ url, method, headers }: HttpRequest, dispatcher: Dispatcher, timeouts: EndpointConfig['timeouts'], reset: boolean): Promise<HttpResponse> {
  const { statusCode, headers: answered, body } = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...COMMON, ...headers },
    headersTimeout: timeouts.response,
    bodyTimeout: timeouts.idle,
    reset,
  })
  return { status: statusCode, headers: answered, body }
}
