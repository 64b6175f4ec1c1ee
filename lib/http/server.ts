import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ListenAddress } from '../config/config.ts'
import { sleep, type Clock } from '../clock.ts'
import { OciError } from '../oci/errors.ts'
import { newExchange } from './exchange.ts'
import type { Middleware } from './handler.ts'
import { sendError } from './respond.ts'

/** Milliseconds. Go's clients keep idle connections for 90 s: a server that closes first makes their next request fail. */
const KEEP_ALIVE = 100_000
/** Milliseconds for a client to send its headers, and for a connection in use to show no progress at all. */
const HEADERS = 30_000
const STALLED = 5 * 60_000
/** Milliseconds between looks for connections that have become idle, at the end. */
const IDLE_CHECK = 50

export interface RunningServer {
  /** `http://127.0.0.1:5000` */
  url: string
  /** Takes no more requests, lets those that run finish within so many milliseconds, then cuts them. */
  close(deadline: number): Promise<void>
}

/** @throws the socket's error: EADDRINUSE, EACCES, EADDRNOTAVAIL */
export async function startServer(middleware: Middleware, listen: ListenAddress, clock: Clock): Promise<RunningServer> {
  const running = new Set<ServerResponse>()
  const server = createHttpServer({ keepAliveTimeout: KEEP_ALIVE, headersTimeout: HEADERS }, (request, response) => {
    running.add(response)
    response.once('close', () => running.delete(response))
    middleware(request, response, () => refuse(request, response))
  })
  server.setTimeout(STALLED)
  await listening(server, listen)
  return { url: urlOf(server), close: deadline => close(server, running, deadline, clock) }
}

/** What is no registry path, an absolute-form target of somebody who takes us for a forward proxy included. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  const isPath = request.url?.startsWith('/') ?? false
  const error = isPath
    ? new OciError('UNSUPPORTED', 'not a registry API path: it begins with /v2/', { status: 404 })
    : new OciError('UNSUPPORTED', 'request target refused: only paths are served here', { status: 400 })
  sendError(newExchange(request, response), error)
}

function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

async function close(server: Server, running: ReadonlySet<ServerResponse>, deadline: number, clock: Clock): Promise<void> {
  const closed = new Promise<void>(resolve => { server.close(() => resolve()) })
  const until = clock.monotonic() + deadline
  // Connections become idle one by one, as their last response ends, and clients would keep them.
  while (running.size > 0 && clock.monotonic() < until) {
    server.closeIdleConnections()
    await sleep(clock, IDLE_CHECK)
  }
  // What is left has sent no request, or half of one.
  server.closeAllConnections()
  await closed
}
