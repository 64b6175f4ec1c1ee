import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { compose, pathOf, queryOf, reply, type Answer, type Layer, type Request } from './exchange.ts'
import { send } from './send.ts'

/** One request as it was seen; `status` is 0 as long as, or if, it is not answered. */
export interface Seen {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Milliseconds, as performance.now() counts them. */
  readonly at: number
  status: number
  /** Bytes of the body written so far; exact once `done`. */
  bytes: number
  done: boolean
}

export interface Rule {
  /** The next matching request goes through these layers, the first one outermost. */
  once(...layers: Layer[]): void
  times(count: number, ...layers: Layer[]): void
  /** Until `upstream.reset()`. */
  always(...layers: Layer[]): void
}

export type Matcher = RegExp | string

/** `t` of tap, or whatever calls back at its end. */
export interface Teardown {
  teardown(callback: () => unknown): unknown
}

/** An HTTP server that does as it is told, remembers what it was asked, and can be down for a while. */
export interface ScriptedServer {
  /** `http://127.0.0.1:PORT`; the port stays for the server's life. */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly requests: readonly Seen[]
  /** Requests so far. A string matches the end of the path. `'*'` is any method. */
  count(method: string, path?: Matcher): number
  seen(method: string, path?: Matcher): Seen[]
  /** Forgets the requests so far. */
  forget(): void
  /** Resolves when so many matching requests have arrived, @throws after `deadline` ms (10 s) */
  arrival(method: string, path: Matcher, count?: number, deadline?: number): Promise<Seen>
  /** Scripted faults: counted rules are used up in the order they were given, one a request; they apply behind guards. */
  on(method: string, path?: Matcher): Rule
  /** Forgets every rule, not guards and layers. */
  reset(): void
  /** Outside every rule: authentication. */
  guard(layer: Layer): void
  /** Inside every rule: how this server is when nothing is wrong. */
  use(layer: Layer): void
  /** Refuses connections and cuts the open ones, until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export interface ServerOptions {
  /** Serves https, e.g. with `certificates(t)`; `requestCert` for client certificates. */
  tls?: TlsOptions
  /** 0: a free one. */
  port?: number
  /** What it listens on, and is called in `url`. */
  hostname?: string
}

interface ActiveRule {
  matches(request: Request): boolean
  layers: Layer[]
  left: number
}

export async function scriptedServer(t: Teardown, answer: Answer, options: ServerOptions = {}): Promise<ScriptedServer> {
  const hostname = options.hostname ?? '127.0.0.1'
  const requests: Seen[] = []
  const sockets = new Set<Socket>()
  const guards: Layer[] = []
  const layers: Layer[] = []
  let rules: ActiveRule[] = []
  const waiting = new Set<() => void>()

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch(() => incoming.socket.destroy())
  }
  const server = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener)
  server.keepAliveTimeout = 90_000
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const hungUp = new AbortController()
    response.on('close', () => hungUp.abort())
    response.on('error', () => {})
    const request: Request = {
      method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers,
      body: await readBody(incoming), hungUp: hungUp.signal,
    }
    const seen: Seen = {
      method: request.method, path: pathOf(request), query: queryOf(request), headers: request.headers,
      at: performance.now(), status: 0, bytes: 0, done: false,
    }
    requests.push(seen)
    for (const check of waiting) check()
    response.on('close', () => { seen.done = true })
    const said = await compose([...guards, ruled, ...layers], answer)(request)
    if (hungUp.signal.aborted) return
    seen.status = said.dropped === true ? 0 : said.status
    seen.bytes = await send(response, request.method, said)
  }

  const ruled: Layer = (request, next) => {
    const matching = rules.filter(rule => rule.left > 0 && rule.matches(request))
    const counted = matching.find(rule => rule.left < Infinity)
    if (counted) counted.left -= 1
    const applied = matching.filter(rule => rule === counted || rule.left === Infinity)
    return compose(applied.flatMap(rule => rule.layers), next)(request)
  }

  const on = (method: string, path: Matcher = /(?:)/): Rule => {
    const matches = (request: Request): boolean => matchesRequest(request.method, pathOf(request), method, path)
    const add = (left: number, given: Layer[]): void => { rules.push({ matches, layers: given, left }) }
    return {
      once: (...given) => add(1, given),
      times: (count, ...given) => add(count, given),
      always: (...given) => add(Infinity, given),
    }
  }

  const seen = (method: string, path: Matcher = /(?:)/): Seen[] =>
    requests.filter(request => matchesRequest(request.method, request.path, method, path))

  let port = options.port ?? 0
  const start = (): Promise<void> => new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, () => {
      server.off('error', reject)
      port = (server.address() as AddressInfo).port
      resolve()
    })
  })
  const stop = (): Promise<void> => new Promise(resolve => {
    if (!server.listening) return resolve()
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })

  const arrival = (method: string, path: Matcher, count = 1, deadline = 10_000): Promise<Seen> => new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(check)
      reject(new Error(`no ${count} ${method} ${String(path)} within ${deadline} ms, but: ${summary(requests)}`))
    }, deadline)
    const check = (): void => {
      const found = seen(method, path)[count - 1]
      if (found === undefined) return
      clearTimeout(timer)
      waiting.delete(check)
      resolve(found)
    }
    waiting.add(check)
    check()
  })

  await start()
  t.teardown(stop)
  return {
    url: `${options.tls ? 'https' : 'http'}://${hostname}:${port}`,
    host: `${hostname}:${port}`,
    requests, seen, arrival, on, start, stop,
    count: (method, path) => seen(method, path).length,
    forget: () => { requests.length = 0 },
    reset: () => { rules = [] },
    guard: layer => { guards.push(layer) },
    use: layer => { layers.push(layer) },
    close: stop,
  }
}

function matchesRequest(method: string, path: string, wantedMethod: string, wantedPath: Matcher): boolean {
  if (wantedMethod !== '*' && wantedMethod !== method) return false
  return typeof wantedPath === 'string' ? path.endsWith(wantedPath) : wantedPath.test(path)
}

/** For failure messages: the requests one a line. */
export function summary(requests: readonly Seen[]): string {
  return requests.map(({ method, path, status }) => `\n  ${method} ${path} ${status}`).join('') || 'none'
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export const notFound: Answer = () => reply(404)
