import { startEntrepot, type Entrepot, type EntrepotOptions } from './entrepot.ts'
import { get, head, type HttpAnswer, type HttpOptions } from './http.ts'
import type { Teardown } from './upstream/server.ts'

/** Entrepot in front of one upstream, as project `p`. */
export interface Cache {
  entrepot: Entrepot
  /** The URL of `manifests/latest`, `blobs/sha256:…` of a repository. */
  url(path: string, repository?: string): string
  get(path: string, options?: HttpOptions): Promise<HttpAnswer>
  head(path: string, options?: HttpOptions): Promise<HttpAnswer>
}

export interface CacheOptions extends Omit<EntrepotOptions, 'config'> {
  /** Keys of the endpoint beyond type and URL. */
  endpoint?: Record<string, unknown>
  /** Keys of the project beyond its endpoint. */
  project?: Record<string, unknown>
  /** Further top-level keys. */
  config?: Record<string, unknown>
}

/** The repository that tests pull unless they say another. */
export const REPOSITORY = 'library/x'

export async function cacheOf(t: Teardown, upstream: { url: string }, options: CacheOptions = {}): Promise<Cache> {
  const { endpoint, project, config, ...rest } = options
  const entrepot = await startEntrepot(t, {
    ...rest,
    config: {
      endpoints: { up: { type: 'docker-registry', url: upstream.url, ...endpoint } },
      projects: { p: { endpoint: 'up', ...project } },
      ...config,
    },
  })
  const url = (path: string, repository = REPOSITORY): string => `${entrepot.url}/v2/p/${repository}/${path}`
  return {
    entrepot,
    url,
    get: (path, given) => get(url(path), given),
    head: (path, given) => head(url(path), given),
  }
}

/** The outcome in Cache-Status. */
export function outcome({ headers }: Pick<HttpAnswer, 'headers'>): string | undefined {
  return /detail=([a-z]+)/.exec(String(headers['cache-status']))?.[1]
}
