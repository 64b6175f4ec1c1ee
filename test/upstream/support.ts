import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect } from 'node:net'
import type { Test } from 'tap'
import type { Clock } from '../../lib/clock.ts'
import type { EndpointConfig } from '../../lib/config/config.ts'
import type { Log } from '../../lib/log.ts'
import { digestOf, type Digest } from '../../lib/oci/digest.ts'
import { parseReference, parseRepositoryName, type Reference, type RepositoryName } from '../../lib/oci/reference.ts'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'
import { createUpstream, type UpstreamDeps } from '../../lib/upstream/registry.ts'

export const REPOSITORY: RepositoryName = parseRepositoryName('team/app')
export const TAG: Reference = parseReference('latest')
export const MANIFEST = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}')
export const MANIFEST_DIGEST: Digest = digestOf(MANIFEST)
export const BLOB = Buffer.from('0123456789')
export const BLOB_DIGEST: Digest = digestOf(BLOB)

/** One request as a server saw it. */
export interface Seen {
  method: string
  /** Path and query. */
  path: string
  host: string
  headers: IncomingMessage['headers']
}

export interface Reply {
  status: number
  headers?: Record<string, string | string[]>
  body?: string | Buffer
  /** The connection dies after the body, however much of it was promised. */
  cut?: true
}

/** What a scripted server does: an answer, or no answer, or the end of the connection. */
export type Script = (seen: Seen, count: number) => Reply | 'silence' | 'hang-up'

export interface Scripted {
  url: string
  port: number
  requests: Seen[]
  /** How many connections were accepted. */
  connections(): number
  /** How many of them are open. */
  open(): number
  /** `GET /path` of each request, without query. */
  lines(): string[]
  /** Ends it, connections and all. */
  stop(): Promise<void>
}

/** A server that answers from a script, and remembers what it was asked. */
export async function scripted(t: Test, script: Script, tls?: ServerOptions): Promise<Scripted> {
  const requests: Seen[] = []
  const listener: RequestListener = (request, response) => {
    const seen = seenOf(request)
    requests.push(seen)
    perform(script(seen, requests.length), request, response)
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const { port, connections, open, stop } = await listen(t, server)
  const lines = (): string[] => requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, requests, connections, open, lines, stop }
}

function seenOf(request: IncomingMessage): Seen {
  const target = request.url ?? ''
  const url = target.startsWith('/') ? undefined : new URL(target)
  return {
    method: request.method ?? '',
    path: url === undefined ? target : `${url.pathname}${url.search}`,
    host: url?.host ?? request.headers.host ?? '',
    headers: request.headers,
  }
}

function perform(reply: ReturnType<Script>, request: IncomingMessage, response: ServerResponse): void {
  if (reply === 'silence') return
  if (reply === 'hang-up') {
    request.socket.destroy()
    return
  }
  response.writeHead(reply.status, reply.headers)
  if (reply.cut === true) response.write(reply.body ?? '', () => request.socket.destroy())
  else response.end(request.method === 'HEAD' ? undefined : reply.body)
}

async function listen(t: Test, server: Server): Promise<{ port: number; connections(): number; open(): number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const stop = (): Promise<void> => new Promise(resolve => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
  t.teardown(stop)
  return { port: (server.address() as AddressInfo).port, connections: () => connections, open: () => sockets.size, stop }
}

/** Many host names on one proxy: a forward proxy for http, that plays the hosts itself. */
export async function world(t: Test, hosts: Record<string, Script>): Promise<Scripted> {
  const counts: Record<string, number> = {}
  return scripted(t, seen => {
    counts[seen.host] = (counts[seen.host] ?? 0) + 1
    return hosts[seen.host]?.(seen, counts[seen.host] ?? 0) ?? { status: 502 }
  })
}

/** A proxy that tunnels every CONNECT to one local port. `asked` holds the hosts. */
export async function tunnel(t: Test, port: number): Promise<{ url: string; asked: string[]; headers: IncomingMessage['headers'][] }> {
  const asked: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url ?? '')
    headers.push(request.headers)
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    target.on('error', () => {})
    socket.on('close', () => target.destroy())
  })
  const { port: own } = await listen(t, server)
  return { url: `http://127.0.0.1:${own}`, asked, headers }
}

export class FakeClock implements Clock {
  #time = 1_000_000
  #timers: { at: number; callback: () => void }[] = []

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#time
  }

  monotonic(): number {
    return this.#time
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#time + milliseconds, callback }
    this.#timers.push(timer)
    return () => { this.#timers = this.#timers.filter(other => other !== timer) }
  }

  /** Milliseconds until each callback that waits. */
  pending(): number[] {
    return this.#timers.map(({ at }) => at - this.#time)
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds
    const due = this.#timers.filter(({ at }) => at <= this.#time)
    this.#timers = this.#timers.filter(({ at }) => at > this.#time)
    for (const { callback } of due) callback()
  }
}

export type RecordedLog = Log & { lines: { level: string; message: string }[] }

export function recordingLog(): RecordedLog {
  const lines: RecordedLog['lines'] = []
  const record = (level: string) => (...args: unknown[]): void => { lines.push({ level, message: String(args.at(-1)) }) }
  return { lines, debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') }
}

export function endpoint(url: string, overrides: Partial<EndpointConfig> = {}): EndpointConfig {
  return { type: 'docker-registry', url, tls: { verify: true }, timeouts: { connect: 2000, response: 2000, idle: 2000 }, trustedRealms: [], ...overrides }
}

export interface Harness {
  upstream: ReturnType<typeof createUpstream>
  clock: FakeClock
  log: RecordedLog
}

/** An upstream with a clock turned by hand and no environment; closed at the end of the test. */
export function harness(t: Test, config: EndpointConfig, overrides: Partial<UpstreamDeps> = {}): Harness {
  const clock = new FakeClock()
  const log = recordingLog()
  const upstream = createUpstream('corp', config, { clock, log, env: {}, random: () => 0.5, ...overrides })
  t.teardown(() => upstream.close())
  return { upstream, clock, log }
}

/** The failure that a call ends with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<UpstreamFailure> {
  const outcome = await promise.then(() => undefined, (error: unknown) => error)
  if (outcome instanceof UpstreamFailure) return outcome
  throw new Error(`expected an UpstreamFailure, got ${String(outcome)}`, { cause: outcome })
}

/** Resolves when a condition that the network brings about holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
