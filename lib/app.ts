import picomatch from 'picomatch'
import { Blobs } from './cache/blobs.ts'
import { Fills } from './cache/fills.ts'
import { ManifestCopies } from './cache/manifest-copies.ts'
import { Negatives } from './cache/negatives.ts'
import type { Policy, Project } from './cache/project.ts'
import { Resolver } from './cache/resolve.ts'
import { sleep, systemClock, type Clock } from './clock.ts'
import type { Config, ProjectConfig } from './config/config.ts'
import { createMiddleware, type Middleware } from './http/handler.ts'
import { createLog, type Log } from './log.ts'
import { AdvisoryMetaStore } from './store/advisory-meta-store.ts'
import { FsBlobStore } from './store/fs-blob-store.ts'
import { MemoryMetaStore } from './store/memory-meta-store.ts'
import type { MetaStore } from './store/meta-store.ts'
import { RedisMetaStore } from './store/redis-meta-store.ts'
import { Repositories } from './store/repositories.ts'
import { scoped } from './store/scoped-meta-store.ts'
import { openStorage } from './store/storage.ts'
import { createUpstream } from './upstream/registry.ts'
import type { Upstream } from './upstream/upstream.ts'

/** Milliseconds at the end for upstream answers that somebody still reads. */
const LAST_ANSWERS = 2000

export interface Entrepot {
  /** `(request, response, next)`: answers the registry API of the configured projects, calls `next()` for everything else. */
  middleware: Middleware
  /** Stops what runs in the background; fills in progress are resumed by the next start. */
  close(): Promise<void>
}

export interface EntrepotOptions {
  log?: Log
  clock?: Clock
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  env?: Record<string, string | undefined>
}

/**
 * Puts a cache together from its configuration: the only place that names implementations.
 * @throws StorageError when the storage directory cannot be used
 */
export async function createEntrepot(config: Config, options: EntrepotOptions = {}): Promise<Entrepot> {
  const { clock = systemClock, env = process.env } = options
  const log = options.log ?? await createLog(config.log)
  const { layout, id } = await openStorage(config.storage.directory, clock)
  const meta = metaStore(config, clock, log)
  const hot = scoped(meta, `${id}:`)
  const store = new FsBlobStore(layout)
  const repositories = new Repositories(layout, hot, clock, log)
  const copies = new ManifestCopies(store, repositories, hot, log)
  const negatives = new Negatives(hot, clock)
  const fills = new Fills(store, { clock, log })
  const upstreams = new Map(Object.entries(config.endpoints).map(([name, endpoint]) => [name, createUpstream(name, endpoint, { clock, log, env })]))
  const projects = bindProjects(config, upstreams)
  for (const { name, upstream } of projects.values()) await repositories.bind(name, upstream.identity)
  return {
    middleware: createMiddleware({
      projects,
      resolver: new Resolver({ repositories, copies, negatives, clock, log }),
      blobs: new Blobs({ store, repositories, fills, negatives, clock, log }),
      clock,
      log,
    }),
    async close() {
      await fills.close()
      const closed = Promise.all([...upstreams.values()].map(upstream => upstream.close()))
      await Promise.race([closed, sleep(clock, LAST_ANSWERS)])
      await meta.close()
    },
  }
}

function metaStore({ redis }: Config, clock: Clock, log: Log): MetaStore {
  return redis ? new AdvisoryMetaStore(new RedisMetaStore(redis, log), clock, log) : new MemoryMetaStore()
}

function bindProjects(config: Config, upstreams: ReadonlyMap<string, Upstream>): Map<string, Project> {
  const bound = Object.entries(config.projects).map(([name, project]): [string, Project] => {
    const upstream = upstreams.get(project.endpoint)
    if (upstream === undefined) throw new TypeError(`project ${name} names the endpoint ${project.endpoint}, which is not configured`)
    return [name, { name, upstream, policy: policyOf(project) }]
  })
  return new Map(bound)
}

function policyOf({ freshness, immutableTags, serveStaleOn }: ProjectConfig): Policy {
  return { freshness, isImmutable: picomatch(immutableTags, { dot: true }), serveStaleOn: new Set(serveStaleOn) }
}
