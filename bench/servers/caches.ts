import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Teardown } from '../../test/support/upstream/server.ts'
import { startDaemon } from './daemon.ts'
import { REPOSITORY, type Server } from './server.ts'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface EntrepotOptions {
  /** Keys of the project beyond its endpoint. */
  project?: { freshness?: string }
  /** Flags of Node. */
  nodeOptions?: readonly string[]
}

/** The build, configured as a user would: everything that is not said is the default, a log line a request included. */
export async function entrepot(t: Teardown, upstream: string, { project, nodeOptions = [] }: EntrepotOptions = {}): Promise<Server> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: npm run build`)
  const { pid, url } = await startDaemon(t, {
    name: 'entrepot',
    command: configFile => [process.execPath, ...nodeOptions, MAIN, 'serve', '--config', configFile],
    config: directory => ({
      listen: '127.0.0.1:0',
      storage: { directory },
      endpoints: { upstream: { type: 'docker-registry', url: upstream } },
      projects: { p: { endpoint: 'upstream', ...project } },
    }),
  })
  return { name: 'entrepot', pid, repository: `${url}/v2/p/${REPOSITORY}/` }
}

/** docker-registry as its documentation sets it up; with `proxy` a pull-through cache. It, too, logs a line a request. */
export async function dockerRegistry(t: Teardown, proxy?: string): Promise<Server> {
  const { pid, url } = await startDaemon(t, {
    name: 'docker-registry',
    command: configFile => ['docker-registry', 'serve', configFile],
    config: rootdirectory => ({
      version: 0.1,
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory }, cache: { blobdescriptor: 'inmemory' }, delete: { enabled: true } },
      http: { addr: '127.0.0.1:0' },
      ...(proxy !== undefined && { proxy: { remoteurl: proxy } }),
    }),
  })
  return { name: 'docker-registry', pid, repository: `${url}/v2/${REPOSITORY}/` }
}
