import { setTimeout as sleep } from 'node:timers/promises'
import { errorReply, reply, type Layer, type Reply } from './exchange.ts'

/** Another answer than the honest one. */
export function answer(status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Layer {
  return () => reply(status, headers, body)
}

/** As registries say no: with a JSON error. */
export function refuse(status: number, code = 'UNKNOWN', headers: Record<string, string> = {}): Layer {
  return () => errorReply(status, code, 'scripted refusal', headers)
}

export function tooManyRequests(retryAfter?: number | string): Layer {
  return refuse(429, 'TOOMANYREQUESTS', retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
}

/** Milliseconds before anything is answered. */
export function delay(milliseconds: number): Layer {
  return async (request, next) => {
    await sleep(milliseconds)
    return next(request)
  }
}

/** Holds the answer back until the promise resolves: delays without clocks. */
export function hold(until: Promise<unknown>): Layer {
  return async (request, next) => {
    await until
    return next(request)
  }
}

/** Accepts the request and never says a word; ends when the client hangs up. */
export function silence(): Layer {
  return request => new Promise<Reply>(resolve => {
    request.hungUp.addEventListener('abort', () => resolve(reply(0)), { once: true })
  })
}

/** Cuts the connection before any answer. */
export function drop(options: { reset?: boolean } = {}): Layer {
  return () => ({ ...reply(0), dropped: true, reset: options.reset ?? false })
}

/** A change to the honest reply. */
export function change(how: (honest: Reply) => Reply): Layer {
  return async (request, next) => how(await next(request))
}

/** A number of bytes; below 1, a fraction of the body. */
export type Amount = number

function bytesOf(amount: Amount, body: Buffer): number {
  return amount < 1 ? Math.floor(amount * body.length) : amount
}

/** Ends the connection after so much of the body; everything up to there is delivered. */
export function cut(options: { after: Amount; reset?: boolean }): Layer {
  return change(honest => ({ ...honest, cutAfter: bytesOf(options.after, honest.body), reset: options.reset ?? false }))
}

/** Sends so much of the body, then nothing more, without hanging up. */
export function stall(options: { after: Amount }): Layer {
  return change(honest => ({ ...honest, stallAfter: bytesOf(options.after, honest.body) }))
}

/** One byte of the body is another. */
export function flip(options: { at: Amount }): Layer {
  return change(honest => {
    const body = Buffer.from(honest.body)
    const at = Math.min(bytesOf(options.at, body), body.length - 1)
    body[at] = (body[at] ?? 0) ^ 0xff
    return { ...honest, body }
  })
}

/** Another body of whatever length, under the honest headers; Content-Length follows. */
export function replaceBody(body: Uint8Array): Layer {
  return change(honest => ({ ...honest, body: Buffer.from(body) }))
}

export function slow(bytesPerSecond: number): Layer {
  return change(honest => ({ ...honest, bytesPerSecond }))
}

/** No Content-Length. */
export function chunked(): Layer {
  return change(honest => ({ ...honest, headers: without(honest.headers, 'content-length'), chunked: true }))
}

export function contentLength(lie: (honest: number) => number): Layer {
  return change(honest => ({ ...honest, headers: { ...honest.headers, 'content-length': String(lie(honest.body.length)) } }))
}

/** Answers 200 with everything, whatever range was asked. */
export function ignoreRange(): Layer {
  return (request, next) => {
    const { range: _ignored, ...headers } = request.headers
    return next({ ...request, headers })
  }
}

export function dropHeader(name: string): Layer {
  return change(honest => ({ ...honest, headers: without(honest.headers, name) }))
}

export function dropDigest(): Layer {
  return dropHeader('docker-content-digest')
}

export function setHeader(name: string, value: string): Layer {
  return change(honest => ({ ...honest, headers: { ...honest.headers, [name.toLowerCase()]: value } }))
}

/** HEAD is refused, GET works. Use it on method `HEAD`, or as a layer on all. */
export function refuseHead(status: 403 | 405 = 405): Layer {
  return (request, next) => (request.method === 'HEAD' ? errorReply(status, 'UNSUPPORTED', 'no HEAD here') : next(request))
}

function without(headers: Reply['headers'], name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name.toLowerCase()))
}
