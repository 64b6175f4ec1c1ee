import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { start, type Exit, type Running } from './processes.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Teardown } from './upstream/server.ts'

/** How entrepot is run: the build on this Node, or its sources on a runtime of test/runtimes. */
export type Runtime = 'built' | 'node24' | 'node26' | 'deno'

export interface CommandLine {
  command: string
  args: string[]
}

export interface EntrepotOptions {
  /** As in YAML. `listen` (a free port) and `storage.directory` (in `directory`) are filled in. */
  config: Record<string, unknown>
  /** Where the configuration, and by default the storage, live. Default: a temporary directory. */
  directory?: string
  env?: Record<string, string>
  /** Or the command that `serve --config FILE` is put behind. */
  runtime?: Runtime | CommandLine
}

export interface LogLine {
  level: number
  msg: string
  [field: string]: unknown
}

export interface Entrepot {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly pid: number
  readonly directory: string
  /** The absolute `storage.directory`, or the default one's place. */
  readonly storage: string
  readonly configFile: string
  /** The log so far, of this run and those before. */
  readonly logs: readonly LogLine[]
  /** Everything printed that is no JSON. */
  readonly output: readonly string[]
  /** The log's lines about requests. */
  requestLog(): LogLine[]
  /** The first log line that fits, past or to come. @throws after `deadline` ms (5 s) */
  logged(fits: (line: LogLine) => boolean, deadline?: number): Promise<LogLine>
  signal(signal: NodeJS.Signals): void
  /** SIGTERM. @throws unless it exits with 0 within `deadline` ms (10 s) */
  stop(deadline?: number): Promise<void>
  /** SIGKILL. */
  kill(): Promise<Exit>
  /** Starts again on the same directory and port, stopping first what runs. `config` replaces the old one. */
  restart(config?: Record<string, unknown>): Promise<void>
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const RUNTIMES = join(ROOT, 'test/runtimes')

/** Runs entrepot as its own process. Resolves when it listens. */
export async function startEntrepot(t: Teardown, options: EntrepotOptions): Promise<Entrepot> {
  const directory = options.directory ?? temporaryDirectory(t, 'data')
  mkdirSync(directory, { recursive: true })
  const configFile = join(directory, 'config.yaml')
  const { runtime = 'built' } = options
  const { command, args } = typeof runtime === 'string' ? commandLine(runtime) : runtime
  const runs: Running[] = []
  let config = options.config
  let host = '127.0.0.1:0'

  const storage = (): string => {
    const { directory: given } = (config['storage'] ?? {}) as { directory?: string }
    return given ?? join(directory, 'data')
  }
  const begin = async (): Promise<void> => {
    writeFileSync(configFile, stringify({
      listen: host, ...config, storage: { ...(config['storage'] as object | undefined), directory: storage() },
    }))
    const process = start(t, command, [...args, 'serve', '--config', configFile], { cwd: directory, ...(options.env && { env: options.env }) })
    runs.push(process)
    const [, url = ''] = await process.line(/listening on (https?:\/\/[^\s"\\]+)/)
    host = new URL(url).host
  }
  const current = (): Running => {
    const process = runs.at(-1)
    if (process === undefined) throw new Error('entrepot was never started')
    return process
  }
  const stop = async (deadline?: number): Promise<void> => {
    const { code, signal } = await current().stop('SIGTERM', deadline)
    if (code !== 0) throw new Error(`entrepot exited with ${code ?? signal}:\n${current().lines.join('\n')}`)
  }
  const lines = (): string[] => runs.flatMap(process => process.lines)
  const logs = (): LogLine[] => lines().map(parseLog).filter(line => line !== undefined)

  await begin()
  return {
    get url() { return `http://${host}` },
    get host() { return host },
    get pid() { return current().pid },
    directory,
    get storage() { return storage() },
    configFile,
    get logs() { return logs() },
    get output() { return lines().filter(line => parseLog(line) === undefined) },
    requestLog: () => logs().filter(isRequest),
    async logged(fits, deadline = 5000) {
      const give = performance.now() + deadline
      for (;;) {
        const found = logs().find(fits)
        if (found) return found
        if (performance.now() > give) throw new Error(`not logged within ${deadline} ms:\n${lines().join('\n')}`)
        await new Promise(resolve => { setTimeout(resolve, 10) })
      }
    },
    signal: signal => { process.kill(current().pid, signal) },
    stop,
    kill: () => current().kill(),
    async restart(changed) {
      if (current().running) await stop()
      config = changed ?? config
      await begin()
    },
  }
}

function isRequest(line: LogLine): boolean {
  return typeof line['status'] === 'number' && typeof line['method'] === 'string'
}

function parseLog(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return undefined
  }
}

/** @throws where the build, or the runtime, is not there, saying what makes it */
export function commandLine(runtime: Runtime): CommandLine {
  if (runtime === 'built') return { command: process.execPath, args: ['--enable-source-maps', present(join(ROOT, 'dist/cli/main.js'), 'npm run build')] }
  const source = join(ROOT, 'lib/cli/main.ts')
  const binary = present(join(RUNTIMES, 'node_modules', BINARY[runtime]), 'npm ci --prefix test/runtimes')
  return { command: binary, args: runtime === 'deno' ? [...DENO_RUN, source] : [source] }
}

// What npm installed, and nothing from the network.
const DENO_RUN = ['run', '--allow-all', '--no-prompt', '--no-lock', '--cached-only', '--node-modules-dir=manual']

// Packages of one binary each, without the launchers that would stand between us and the process that gets our signals.
const BINARY: Record<Exclude<Runtime, 'built'>, string> = {
  node24: 'node24/bin/node',
  node26: 'node26/bin/node',
  deno: 'deno/deno',
}

function present(path: string, remedy: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: ${remedy}`)
  return path
}
