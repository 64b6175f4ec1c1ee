import { parseDigest, type Digest } from './digest.ts'
import { OciError } from './errors.ts'
import { isDigest, parseReference, parseRepositoryName, type Reference, type RepositoryName } from './reference.ts'

/** What a request target means in the distribution API. `name` begins with the project's component. */
export type Route =
  | { kind: 'ping'; project?: string }
  | { kind: 'catalog' }
  | { kind: 'manifest'; name: RepositoryName; reference: Reference }
  | { kind: 'blob'; name: RepositoryName; digest: Digest }
  | { kind: 'upload'; name: RepositoryName }
  | { kind: 'tags'; name: RepositoryName }
  | { kind: 'referrers'; name: RepositoryName; digest: Digest }

/** Anything that could mean another path to a proxy, a file system or a C string than it means to us. */
const HOSTILE = /\\|\/\/|%2f|%5c|%00|[\0-\x20\x7f-\uffff]|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Parses a raw request target, before any decoding, from the right: a repository may have components named
 * `manifests` or `blobs`. The query is ignored here.
 * @param isProject which first components may stand before `/v2/`
 * @returns undefined for a path that is not the distribution API's
 * @throws OciError NAME_INVALID, DIGEST_INVALID (400) or MANIFEST_UNKNOWN (404)
 */
export function parseRoute(target: string, isProject: (name: string) => boolean): Route | undefined {
  const path = target.split(/[?#]/, 1)[0] ?? ''
  const api = apiPath(path, isProject)
  if (api === undefined) return undefined
  if (HOSTILE.test(path)) {
    throw new OciError('NAME_INVALID', 'request target refused: it has an empty, "." or ".." component, a backslash or an encoded separator')
  }
  if (api.rest === '') return api.project === undefined ? { kind: 'ping' } : { kind: 'ping', project: api.project }
  const prefix = api.project === undefined ? [] : [api.project]
  return parseComponents([...prefix, ...api.rest.split('/').map(decodeOnce)])
}

/** `/v2/…`, and `/<project>/v2/…` for clients whose mirror address has a path (dockerd, containerd without override_path). */
function apiPath(path: string, isProject: (name: string) => boolean): { project?: string; rest: string } | undefined {
  const [matched, project, rest = ''] = /^(?:\/(?!v2\/)([^/]+))?\/v2(?:\/(.*))?$/s.exec(path) ?? []
  if (matched === undefined) return undefined
  if (project === undefined) return { rest }
  return isProject(project) ? { project, rest } : undefined
}

function decodeOnce(component: string): string {
  try {
    return decodeURIComponent(component)
  } catch (error) {
    throw new OciError('NAME_INVALID', 'request target refused: bad percent-encoding', { cause: error })
  }
}

function parseComponents(parts: string[]): Route | undefined {
  if (parts.length === 1 && parts[0] === '_catalog') return { kind: 'catalog' }
  const last = parts.at(-1) ?? ''
  const upload = parts.lastIndexOf('uploads')
  if (upload >= 2 && parts[upload - 1] === 'blobs' && upload >= parts.length - 2) {
    return { kind: 'upload', name: nameOf(parts.slice(0, upload - 1)) }
  }
  const name = (): RepositoryName => nameOf(parts.slice(0, -2))
  switch (parts.at(-2)) {
    case 'manifests': return { kind: 'manifest', name: name(), reference: parseReference(last) }
    case 'blobs': return { kind: 'blob', name: name(), digest: parseDigest(last) }
    case 'referrers': return { kind: 'referrers', name: name(), digest: parseDigest(last) }
    case 'tags': return last === 'list' ? { kind: 'tags', name: name() } : undefined
    default: return undefined
  }
}

function nameOf(components: string[]): RepositoryName {
  return parseRepositoryName(components.join('/'))
}

/** What stands behind the repository in a reference: `:<tag>` or `@<digest>`; nothing where the route has neither. */
export function suffixOf(route: Route): string {
  if (route.kind === 'manifest') return isDigest(route.reference) ? `@${route.reference}` : `:${route.reference}`
  return 'digest' in route ? `@${route.digest}` : ''
}

/** The first component is the project, the rest its repository; a name of one component has no repository. */
export function splitProject(name: RepositoryName): { project: string; repository?: RepositoryName } {
  const slash = name.indexOf('/')
  if (slash < 0) return { project: name }
  return { project: name.slice(0, slash), repository: name.slice(slash + 1) as RepositoryName }
}
