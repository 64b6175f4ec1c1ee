import { writeFileSync } from 'node:fs'
import { request, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'yaml'
import type { Image } from './image.ts'
import { jwtTokenServer, type JwtTokenServer } from './jwt-token-server.ts'
import { mustRun, start, type Running } from './processes.ts'
import { deleteTag, pushImage, tagImage } from './push.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Credentials } from './upstream/auth.ts'
import type { Teardown } from './upstream/server.ts'

export interface RegistryOptions {
  auth?: 'none' | 'htpasswd' | 'token'
  /** The user of `htpasswd` and `token`; a token registry gives anonymous callers nothing. */
  credentials?: Credentials
  /** Makes it a pull-through cache of that URL. */
  remoteUrl?: string
  /** False: no counting proxy in front, for measurements; `requests` stays empty. */
  counted?: boolean
}

export interface RegistryRequest {
  method: string
  /** Without the query. */
  path: string
  status: number
}

/** A real docker-registry (distribution 2.8), with a proxy in front that writes down what it was asked. */
export interface DockerRegistry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** What was asked since the start, or the last `forget`; pushes by the helper are not counted. */
  readonly requests: readonly RegistryRequest[]
  readonly credentials: Credentials
  readonly tokens: JwtTokenServer | undefined
  /** The registry's own pid. */
  readonly pid: number
  count(method: string, path?: RegExp): number
  forget(): void
  push(repository: string, image: Image, ...tags: string[]): Promise<void>
  /** Points a tag at an image that was pushed. */
  tag(repository: string, tag: string, image: Image): Promise<void>
  /** Deletes the manifest that the tag points at, and with it all of its tags. */
  deleteTag(repository: string, tag: string): Promise<void>
  /** Refuses connections until `start`, which brings back the same content on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

const DEFAULT_CREDENTIALS: Credentials = { username: 'puller', password: 'correct horse: battery' }

export async function dockerRegistry(t: Teardown, options: RegistryOptions = {}): Promise<DockerRegistry> {
  const directory = temporaryDirectory(t, 'registry')
  const credentials = options.credentials ?? DEFAULT_CREDENTIALS
  const tokens = options.auth === 'token' ? await jwtTokenServer(t, directory, credentials) : undefined
  const config = {
    version: 0.1,
    log: { accesslog: { disabled: true }, level: 'info' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    ...(options.remoteUrl !== undefined && { proxy: { remoteurl: options.remoteUrl } }),
    ...(options.auth === 'htpasswd' && { auth: { htpasswd: { realm: 'registry', path: await htpasswd(directory, credentials) } } }),
    ...(tokens && { auth: { token: tokens.registryConfig } }),
  }

  let listen = '127.0.0.1:0'
  let process: Running
  const counter = options.counted === false ? undefined : countingProxy(() => listen)
  const begin = async (): Promise<void> => {
    const file = join(directory, 'config.yml')
    writeFileSync(file, stringify({ ...config, http: { addr: listen } }))
    process = start(t, 'docker-registry', ['serve', file])
    const [, address = ''] = await process.line(/listening on (127\.0\.0\.1:\d+)/)
    listen = address
    await counter?.start()
  }
  const stop = async (): Promise<void> => {
    await counter?.stop()
    await process.kill()
  }
  t.teardown(stop)
  await begin()

  const push = { url: `http://${listen}`, authorization: authorizationFor(options, credentials, tokens) }
  const host = counter?.host() ?? listen
  const requests = counter?.requests ?? []
  return {
    url: `http://${host}`, host, requests, credentials, tokens,
    get pid() { return process.pid },
    count: (method, path = /(?:)/) => requests.filter(seen => seen.method === method && path.test(seen.path)).length,
    forget: () => { requests.length = 0 },
    push: (repository, image, ...tags) => pushImage(push, repository, image, ...tags),
    tag: (repository, tag, image) => tagImage(push, repository, tag, image),
    deleteTag: (repository, tag) => deleteTag(push, repository, tag),
    stop,
    start: begin,
  }
}

function authorizationFor(options: RegistryOptions, { username, password }: Credentials, tokens: JwtTokenServer | undefined) {
  return (repository: string): string | undefined => {
    if (tokens) return `Bearer ${tokens.issue(repository, ['pull', 'push', 'delete'])}`
    return options.auth === 'htpasswd' ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : undefined
  }
}

async function htpasswd(directory: string, { username, password }: Credentials): Promise<string> {
  const path = join(directory, 'htpasswd')
  writeFileSync(path, await mustRun('htpasswd', ['-Bbn', username, password]))
  return path
}

interface CountingProxy {
  requests: RegistryRequest[]
  host(): string
  start(): Promise<void>
  stop(): Promise<void>
}

function countingProxy(target: () => string): CountingProxy {
  const requests: RegistryRequest[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((incoming, response) => {
    const seen: RegistryRequest = { method: incoming.method ?? '', path: (incoming.url ?? '').split('?', 1)[0] ?? '', status: 0 }
    requests.push(seen)
    forward(target(), incoming, response, status => { seen.status = status })
  })
  server.keepAliveTimeout = 90_000
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  let port = 0
  return {
    requests,
    host: () => `127.0.0.1:${port}`,
    start: () => new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        port = (server.address() as AddressInfo).port
        resolve()
      })
    }),
    stop: () => new Promise(resolve => {
      if (!server.listening) return resolve()
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    }),
  }
}

function forward(target: string, incoming: IncomingMessage, response: ServerResponse, status: (status: number) => void): void {
  const onward = request(`http://${target}`, {
    method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: incoming.headers, agent: false,
  }, answer => {
    status(answer.statusCode ?? 0)
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    pipeline(answer, response).catch(() => response.destroy())
  })
  onward.on('error', () => response.destroy())
  pipeline(incoming, onward).catch(() => onward.destroy())
}
