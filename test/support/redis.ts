import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { start, type Running } from './processes.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Teardown } from './upstream/server.ts'

export interface RedisServer {
  /** `redis://127.0.0.1:PORT/0` */
  readonly url: string
  readonly port: number
  /** Gone, with all it knew. */
  stop(): Promise<void>
  /** Back on the same port, empty. */
  start(): Promise<void>
}

export interface RedisOptions {
  password?: string
}

/** A real redis-server of the test's own, in memory only. */
export async function redisServer(t: Teardown, options: RedisOptions = {}): Promise<RedisServer> {
  const directory = temporaryDirectory(t, 'redis')
  const port = await freePort()
  let server: Running
  const begin = async (): Promise<void> => {
    server = start(t, 'redis-server', [
      '--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', '', '--appendonly', 'no',
      '--logfile', '', '--pidfile', join(directory, 'redis.pid'), ...(options.password === undefined ? [] : ['--requirepass', options.password]),
    ])
    await server.line(/ready to accept connections/i)
  }
  await begin()
  return { url: `redis://127.0.0.1:${port}/0`, port, start: begin, stop: async () => { await server.kill() } }
}
