import { isRepositoryName, type RepositoryName } from '../oci/reference.ts'
import type { Kind } from './kinds.ts'

const PATH = /^\/v2\/(.+)\/(?:manifests|blobs)\/[^/]+$/

/**
 * What a token has to allow at a URL that a request, or a redirect, has come to. A redirect may lead to the repository
 * under another name: Harbor's to `library/…`, registry.k8s.io's to a region's own path.
 * @param base the endpoint's URL
 * @returns undefined at a foreign URL that is no registry's: its challenge may tell
 */
export function scopeAt(url: URL, base: URL, repository: RepositoryName, kind: Kind): string | undefined {
  if (url.origin !== base.origin) return foreignScope(url)
  const prefix = base.pathname.replace(/\/$/, '')
  const name = url.pathname.startsWith(`${prefix}/`) ? nameIn(url.pathname.slice(prefix.length)) : undefined
  return kind.scope(name ?? repository)
}

function foreignScope(url: URL): string | undefined {
  const name = nameIn(url.pathname)
  return name && `repository:${name}:pull`
}

function nameIn(path: string): RepositoryName | undefined {
  const [, name = ''] = PATH.exec(path) ?? []
  return isRepositoryName(name) ? name : undefined
}
