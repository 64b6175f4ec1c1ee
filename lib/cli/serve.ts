import { createEntrepot } from '../app.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { readConfig } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import { startServer, type RunningServer } from '../http/server.ts'
import { createLog } from '../log.ts'
import { errorCode } from '../store/durable.ts'
import { StorageError } from '../store/storage.ts'
import { DEFAULT_CONFIG_FILE, EXIT, type Command, type Io } from './command.ts'

/** Milliseconds that pulls in progress are given at the end (Kubernetes kills after 30 s), sockets after them, and echoes of a signal. */
const SHUTDOWN = 25_000
const LINGER = 1000
const ECHO = 3000

export const serve: Command = {
  summary: 'run the cache',
  usage: `serve [--config FILE]

Serves the projects of the configuration. FILE is ${DEFAULT_CONFIG_FILE} unless given.
SIGTERM and SIGINT let the pulls in progress finish, for at most ${SHUTDOWN / 1000} seconds.`,
  options: {
    config: { type: 'string' },
  },
  async run({ values }, io) {
    const file = typeof values['config'] === 'string' ? values['config'] : DEFAULT_CONFIG_FILE
    try {
      return await run(file, io)
    } catch (error) {
      const lines = explain(error)
      if (lines === undefined) throw error
      for (const line of lines) io.err(`${line}\n`)
      return EXIT.failed
    }
  },
}

async function run(file: string, io: Io): Promise<number> {
  const { config, warnings } = await readConfig(file, { env: io.env, secrets: 'required' })
  for (const warning of warnings) io.err(`${formatProblem(warning, 'warning: ')}\n`)
  const log = await createLog(config.log)
  const entrepot = await createEntrepot(config, { log, env: io.env })
  const server = await startServer(entrepot.middleware, config.listen, systemClock)
  io.out(banner(config, server))
  const signal = await endSignal()
  log.info({ signal }, 'shutting down: no new pulls, those in progress may finish')
  await server.close(SHUTDOWN)
  await entrepot.close()
  log.info('stopped')
  // Whatever still holds a socket is not worth waiting for.
  systemClock.after(LINGER, () => process.exit(EXIT.done))
  return EXIT.done
}

/** The address, and for each project a pull command to paste. */
function banner({ publicUrl, projects, endpoints }: Config, { url }: RunningServer): string {
  const host = new URL(publicUrl ?? url).host
  const pulls = Object.entries(projects).map(([name, { endpoint }]) => {
    const { type, url: upstream } = endpoints[endpoint] ?? {}
    return `  docker pull ${host}/${name}/${exampleOf(type, upstream)}`
  })
  return [`entrepot is listening on ${url}`, ...pulls, ''].join('\n')
}

/** An image that is really there, where the registry is one that everybody knows. */
function exampleOf(type: string | undefined, url: string | undefined): string {
  const known: Record<string, string> = {
    'registry-1.docker.io': 'library/alpine:3.20',
    'ghcr.io': 'containerd/busybox:1.36',
    'quay.io': 'prometheus/busybox:latest',
    'registry.k8s.io': 'pause:3.10',
    'gcr.io': 'distroless/static-debian12:latest',
    'public.ecr.aws': 'docker/library/busybox:latest',
    'mcr.microsoft.com': 'hello-world:latest',
  }
  const example = url === undefined ? undefined : known[new URL(url).host]
  return example ?? (type === 'docker-hub' ? 'library/alpine:3.20' : '<repository>:<tag>')
}

/** The first signal to end. Later ones end at once; not so the echo: npm and a terminal both pass on what was pressed once. */
function endSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let first: number | undefined
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        first ??= systemClock.monotonic()
        if (systemClock.monotonic() - first > ECHO) process.exit(EXIT.failed)
        resolve(signal)
      })
    }
  })
}

/** What the user can do something about, in a line each; undefined for what is a defect of ours. */
function explain(error: unknown): string[] | undefined {
  if (error instanceof ConfigError) return error.problems.map(problem => formatProblem(problem))
  if (error instanceof StorageError) return [error.message]
  switch (errorCode(error)) {
    case 'EADDRINUSE': return [`${addressOf(error)} is in use: stop what listens there, or change \`listen\``]
    case 'EACCES': return [`${addressOf(error)} may not be listened on by this user: take a port above 1023, or change \`listen\``]
    case 'EADDRNOTAVAIL': return [`${addressOf(error)} is not an address of this machine: change \`listen\``]
    case 'ENOTFOUND': return [`\`listen\` names a host that is not known: ${String(error)}`]
    default: return undefined
  }
}

function addressOf(error: unknown): string {
  const { address = '', port = 0 } = error as { address?: string; port?: number }
  return `${address}:${port}`
}
