import type { IncomingHttpHeaders } from 'node:http'

/** A request as the script sees it. `path` has the query; `raw` closes when the client hangs up. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly hungUp: AbortSignal
}

/** What goes on the wire, and how badly. Content-Length is that of `body` unless a header says otherwise. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** No Content-Length, chunked framing. */
  readonly chunked?: boolean
  /** The connection ends after so many bytes of the body. */
  readonly cutAfter?: number
  /** The connection ends without any answer. */
  readonly dropped?: boolean
  /** The connection ends by RST, not FIN. */
  readonly reset?: boolean
  /** After so many bytes nothing more comes, but the connection stays open. */
  readonly stallAfter?: number
  readonly bytesPerSecond?: number
}

export type Answer = (request: Request) => Reply | Promise<Reply>

/** Stands between a request and its answer: a fault, a guard, a redirect. */
export type Layer = (request: Request, next: Answer) => Reply | Promise<Reply>

/** The first layer is the outermost. */
export function compose(layers: readonly Layer[], innermost: Answer): Answer {
  return layers.reduceRight<Answer>((next, layer) => request => layer(request, next), innermost)
}

export function reply(status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Reply {
  return { status, headers, body: Buffer.from(body) }
}

export function errorReply(status: number, code: string, message: string, headers: Record<string, string> = {}): Reply {
  const body = JSON.stringify({ errors: [{ code, message, detail: null }] })
  return reply(status, { 'content-type': 'application/json; charset=utf-8', ...headers }, body)
}

export function pathOf(request: Request): string {
  return request.path.split('?', 1)[0] ?? ''
}

export function queryOf(request: Request): URLSearchParams {
  return new URLSearchParams(request.path.split('?').slice(1).join('?'))
}
