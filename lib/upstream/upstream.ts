import type { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'
import type { Reference, RepositoryName } from '../oci/reference.ts'

/**
 * One endpoint, as the cache sees it. Every method throws UpstreamFailure, and nothing else, when upstream does not give
 * what was asked: authentication, redirects, retries and timeouts are over by then.
 */
export interface Upstream {
  /** The endpoint's name in the configuration. */
  readonly name: string
  /** What cached records are bound to: the endpoint's URL. */
  readonly identity: string
  /** The one name under which upstream knows a repository: `alpine` is `library/alpine` on Docker Hub. */
  canonicalName(repository: RepositoryName): RepositoryName
  /** @returns no digest where upstream's HEAD is of no use: only a GET can tell then */
  headManifest(repository: RepositoryName, reference: Reference): Promise<ManifestHead>
  getManifest(repository: RepositoryName, reference: Reference): Promise<UpstreamManifest>
  headBlob(repository: RepositoryName, digest: Digest): Promise<BlobHead>
  getBlob(repository: RepositoryName, digest: Digest, range: ByteRange): Promise<UpstreamBody>
}

export interface ManifestHead {
  status: number
  digest?: Digest
}

export interface UpstreamManifest {
  status: number
  bytes: Buffer
  /** As sent, parameters and all. */
  contentType?: string
  /** As sent in Docker-Content-Digest: a hint, to be compared, never to be passed on. */
  declaredDigest?: Digest
}

export interface BlobHead {
  status: number
  /** Bytes, where upstream says so. */
  size?: number
}

/** Byte positions, `last` inclusive as in HTTP; absent: to the end. */
export interface ByteRange {
  first: number
  last?: number
}

export interface UpstreamBody {
  status: number
  /** Position of the stream's first byte: 0 where upstream ignores ranges, whatever was asked. */
  start: number
  /** Bytes of the whole blob, where upstream says so. */
  size?: number
  /** Errors when upstream cuts, stalls, or sends another length than it promised. Destroy it to hang up. */
  stream: Readable
}
