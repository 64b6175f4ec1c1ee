import { digestOf, type Digest } from '../../../lib/oci/digest.ts'
import type { Image } from '../image.ts'
import { errorReply, pathOf, queryOf, reply, type Answer, type Reply, type Request } from './exchange.ts'

export interface StoredManifest {
  bytes: Buffer
  mediaType: string
}

/** What a scripted registry holds. Blobs belong to the repository that they were pushed to. */
export interface Contents {
  /** Puts an image, with all that it refers to, into a repository, and points the tags at it. */
  push(repository: string, image: Image, ...tags: string[]): void
  addManifest(repository: string, bytes: Uint8Array, mediaType: string, ...tags: string[]): Digest
  addBlob(repository: string, bytes: Uint8Array): Digest
  tag(repository: string, tag: string, digest: string): void
  untag(repository: string, tag: string): void
  /** A manifest or blob vanishes, and every tag of it. */
  remove(repository: string, digest: string): void
  blob(digest: string): Buffer | undefined
  manifest(repository: string, reference: string): (StoredManifest & { digest: string }) | undefined
}

interface Repository {
  tags: Map<string, string>
  manifests: Map<string, StoredManifest>
  blobs: Map<string, Buffer>
}

/** @returns the contents, and the honest answers to HEAD and GET from them, as the distribution spec wants them */
export function contents(): Contents & { answer: Answer } {
  const repositories = new Map<string, Repository>()
  const repository = (name: string): Repository => {
    const known = repositories.get(name) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() }
    repositories.set(name, known)
    return known
  }
  const manifest: Contents['manifest'] = (name, reference) => {
    const known = repositories.get(name)
    const digest = known?.tags.get(reference) ?? reference
    const found = known?.manifests.get(digest)
    return found && { ...found, digest }
  }

  return {
    manifest,
    push(name, image, ...tags) {
      for (const [digest, bytes] of image.blobs) repository(name).blobs.set(digest, bytes)
      for (const { digest, bytes, mediaType } of image.manifests) repository(name).manifests.set(digest, { bytes, mediaType })
      for (const tag of tags) repository(name).tags.set(tag, image.digest)
    },
    addManifest(name, bytes, mediaType, ...tags) {
      const digest = digestOf(bytes)
      repository(name).manifests.set(digest, { bytes: Buffer.from(bytes), mediaType })
      for (const tag of tags) repository(name).tags.set(tag, digest)
      return digest
    },
    addBlob(name, bytes) {
      const digest = digestOf(bytes)
      repository(name).blobs.set(digest, Buffer.from(bytes))
      return digest
    },
    tag: (name, tag, digest) => { repository(name).tags.set(tag, digest) },
    untag: (name, tag) => { repository(name).tags.delete(tag) },
    remove(name, digest) {
      const { tags, manifests, blobs } = repository(name)
      manifests.delete(digest)
      blobs.delete(digest)
      for (const [tag, target] of tags) if (target === digest) tags.delete(tag)
    },
    blob: digest => [...repositories.values()].map(({ blobs }) => blobs.get(digest)).find(found => found !== undefined),
    answer: request => answerFrom(repositories, manifest, request),
  }
}

function answerFrom(repositories: Map<string, Repository>, manifest: Contents['manifest'], request: Request): Reply {
  const path = pathOf(request)
  if (request.method !== 'GET' && request.method !== 'HEAD') return errorReply(405, 'UNSUPPORTED', 'read only')
  if (path === '/v2/' || path === '/v2') return reply(200, { 'content-type': 'application/json' }, '{}')
  const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path) ?? []
  const known = repositories.get(name)
  if (known === undefined) return errorReply(404, 'NAME_UNKNOWN', 'repository name not known to registry')
  if (kind === 'tags') return tagList(name, known, queryOf(request))
  if (kind === 'blobs') return blobReply(known.blobs, decodeURIComponent(reference), request)
  const found = manifest(name, decodeURIComponent(reference))
  if (found === undefined) return errorReply(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  return reply(200, {
    'content-type': found.mediaType, 'docker-content-digest': found.digest, etag: `"${found.digest}"`,
  }, found.bytes)
}

function tagList(name: string, { tags }: Repository, query: URLSearchParams): Reply {
  const limit = Number(query.get('n') ?? Infinity)
  const rest = [...tags.keys()].sort().filter(tag => tag > (query.get('last') ?? ''))
  const page = rest.slice(0, limit)
  const link = rest.length > page.length ? { link: `</v2/${name}/tags/list?n=${limit}&last=${page.at(-1) ?? ''}>; rel="next"` } : {}
  return reply(200, { 'content-type': 'application/json', ...link }, JSON.stringify({ name, tags: page }))
}

/** 200, 206 or 416, for one range of the three forms; several ranges get everything. */
export function blobReply(blobs: { get(digest: string): Buffer | undefined }, digest: string, request: Request): Reply {
  const bytes = blobs.get(digest)
  if (bytes === undefined) return errorReply(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  const headers = {
    'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', 'docker-content-digest': digest,
  }
  const [asked, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  if (asked === undefined || (from === '' && to === '')) return reply(200, headers, bytes)
  const first = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from)
  const last = Math.min(from === '' || to === '' ? Infinity : Number(to), bytes.length - 1)
  if (first > last) return reply(416, { 'content-range': `bytes */${bytes.length}` })
  const range = { 'content-range': `bytes ${first}-${last}/${bytes.length}` }
  return reply(206, { ...headers, ...range }, bytes.subarray(first, last + 1))
}
