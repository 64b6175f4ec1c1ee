import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { start } from '../../test/support/processes.ts'
import { temporaryDirectory } from '../../test/support/temporary.ts'
import type { Teardown } from '../../test/support/upstream/server.ts'

/** Milliseconds for a server to say where it listens. */
const START = 20_000

export interface Daemon {
  pid: number
  /** `http://127.0.0.1:PORT` */
  url: string
}

export interface DaemonOptions {
  name: string
  /** @param configFile written by us, in a directory of its own */
  command: (configFile: string) => string[]
  /** @param data where it may store things */
  config: (data: string) => object
}

/** Starts a server whose log goes to a file, as in production: reading it ourselves would cost its clients' time. */
export async function startDaemon(t: Teardown, options: DaemonOptions): Promise<Daemon> {
  const directory = temporaryDirectory(t, `bench-${options.name}`)
  const configFile = join(directory, 'config.yaml')
  const log = join(directory, 'log')
  writeFileSync(configFile, stringify(options.config(join(directory, 'data'))))
  writeFileSync(log, '')
  // exec: the pid is the server's.
  const process = start(t, 'sh', ['-c', 'exec "$@" >"$0" 2>&1', log, ...options.command(configFile)])
  t.teardown(() => process.stop())
  for (const until = performance.now() + START; performance.now() < until && process.running; await sleep(20)) {
    const [, host] = /listening on (?:http:\/\/)?(127\.0\.0\.1:\d+)/.exec(readFileSync(log, 'utf8')) ?? []
    if (host !== undefined) return { pid: process.pid, url: `http://${host}` }
  }
  throw new Error(`${options.name} did not start:\n${readFileSync(log, 'utf8').slice(0, 4000)}`)
}
