import { createHash } from 'node:crypto'
import { request as httpRequest, type Agent, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** An answer as it came, no redirect followed, nothing decoded. */
export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** Whether the body arrived whole: false when the connection broke. */
  complete: boolean
}

export interface HttpOptions {
  method?: string
  headers?: Record<string, string>
  body?: Uint8Array | string
  /** Default: a connection of its own, closed afterwards. */
  agent?: Agent
  /** PEM of the CA to trust for https. */
  ca?: string
  /** PEM of the client certificate to show for https. */
  cert?: string
  key?: string
  signal?: AbortSignal
  /** Milliseconds for all of it, default 30 000. */
  deadline?: number
}

/** @throws when no answer begins, or not all of it comes within the deadline; a body that breaks is `complete: false` */
export async function get(url: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  const response = await open(url, options)
  const chunks: Buffer[] = []
  const complete = await consume(response, chunk => { chunks.push(chunk) })
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), complete }
}

export function head(url: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  return get(url, { ...options, method: 'HEAD' })
}

/** @throws when the body is no JSON */
export function json(answer: HttpAnswer): unknown {
  return JSON.parse(answer.body.toString())
}

/** The code of the first error in a registry's error body, undefined where there is none. */
export function errorCode(answer: HttpAnswer): string | undefined {
  const { errors } = JSON.parse(answer.body.toString() || '{}') as { errors?: { code?: string }[] }
  return errors?.[0]?.code
}

export interface Download {
  status: number
  headers: IncomingHttpHeaders
  /** Hex, of what arrived. */
  sha256: string
  /** Bytes that arrived. */
  bytes: number
  complete: boolean
  /** As performance.now() counts: when the first byte of the body arrived, and the last. */
  firstByteAt: number
  endedAt: number
}

export interface DownloadOptions extends HttpOptions {
  /** Hangs up after so many bytes. */
  abortAfter?: number
  /** Reads no faster. */
  bytesPerSecond?: number
}

/** Streams a body through a hash, keeping nothing of it. A connection that is refused or broken is `complete: false`. */
export async function download(url: string, options: DownloadOptions = {}): Promise<Download> {
  const response = await open(url, options)
  const hash = createHash('sha256')
  const began = performance.now()
  let bytes = 0
  let firstByteAt = NaN
  const complete = await consume(response, async chunk => {
    if (bytes === 0) firstByteAt = performance.now()
    bytes += chunk.length
    hash.update(chunk)
    if (bytes >= (options.abortAfter ?? Infinity)) response.destroy()
    if (options.bytesPerSecond !== undefined) await sleep(Math.max(0, (bytes / options.bytesPerSecond) * 1000 - (performance.now() - began)))
  })
  return {
    status: response.statusCode ?? 0, headers: response.headers, sha256: hash.digest('hex'), bytes, complete, firstByteAt, endedAt: performance.now(),
  }
}

/** So many at once; `options` may differ by number. */
export function downloads(count: number, url: string, options: (number: number) => DownloadOptions = () => ({})): Promise<Download[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => download(url, options(number))))
}

/** Sends bytes as they are, to `127.0.0.1:port`. @returns what came back until the other side hung up, or was quiet for `quiet` ms (500) */
export function raw(host: string, text: string | Uint8Array, options: { quiet?: number } = {}): Promise<string> {
  const { hostname, port } = new URL(`http://${host}`)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text))
    const done = (): void => { socket.destroy(); resolve(Buffer.concat(chunks).toString('latin1')) }
    socket.setTimeout(options.quiet ?? 500, done)
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('close', done)
    socket.on('error', error => (chunks.length === 0 ? reject(error) : done()))
  })
}

/** The answer's head, its body still to be read. @throws when none comes */
export function open(url: string, options: HttpOptions = {}): Promise<IncomingMessage> {
  const { origin, protocol } = new URL(url)
  const secure = protocol === 'https:'
  // The path is cut out, not parsed: URL would resolve the dots that a test is about.
  const given: RequestOptions & Pick<HttpOptions, 'ca' | 'cert' | 'key'> = {
    method: options.method ?? 'GET', headers: options.headers ?? {}, path: /^https?:\/\/[^/?]+(.*)$/.exec(url)?.[1] || '/',
    agent: options.agent ?? false,
    ...(options.ca !== undefined && { ca: options.ca }),
    ...(options.cert !== undefined && { cert: options.cert }),
    ...(options.key !== undefined && { key: options.key }),
    ...(options.signal && { signal: options.signal }),
  }
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(origin, given, resolve)
    const timer = setTimeout(() => request.destroy(new Error(`${given.method} ${url}: not done in time`)), options.deadline ?? 30_000)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.end(options.body)
  })
}

/** @returns whether the body came whole */
async function consume(response: IncomingMessage, take: (chunk: Buffer) => void | Promise<void>): Promise<boolean> {
  try {
    for await (const chunk of response) await take(chunk as Buffer)
    return response.complete
  } catch {
    return false
  }
}
