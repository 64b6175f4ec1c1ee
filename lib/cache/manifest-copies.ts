import { errorCode } from '../store/durable.ts'
import type { BlobStore } from '../store/blob-store.ts'
import type { MetaStore } from '../store/meta-store.ts'
import type { Repositories } from '../store/repositories.ts'
import type { Digest } from '../oci/digest.ts'
import type { ManifestFacts } from '../oci/manifest.ts'
import type { Log } from '../log.ts'
import { keyOf, type Target } from './project.ts'

/** A manifest as it is served: upstream's bytes, with upstream's type. */
export interface Manifest {
  digest: Digest
  mediaType: string
  bytes: Buffer
}

/** Manifests up to this many bytes are kept hot, for as many seconds. */
const HOT_SIZE = 256 * 1024
const HOT = 300

/** Manifests of repositories: content in the BlobStore, type and membership in Repositories, both hot in the MetaStore. */
export class ManifestCopies {
  readonly #blobs: BlobStore
  readonly #repositories: Repositories
  readonly #hot: MetaStore
  readonly #log: Log

  constructor(blobs: BlobStore, repositories: Repositories, hot: MetaStore, log: Log) {
    this.#blobs = blobs
    this.#repositories = repositories
    this.#hot = hot
    this.#log = log
  }

  /** @returns undefined unless this repository is known to have the manifest and its bytes are here */
  async get(target: Target, digest: Digest): Promise<Manifest | undefined> {
    const record = await this.#repositories.manifest(keyOf(target), digest)
    if (record === undefined) return undefined
    const bytes = await this.#content(digest)
    return bytes && { digest, mediaType: record.mediaType, bytes }
  }

  /** @returns whether it could be kept: a disk that refuses is no reason to fail the pull */
  async put(target: Target, digest: Digest, facts: ManifestFacts, bytes: Buffer): Promise<boolean> {
    try {
      await this.#blobs.put(digest, bytes)
      await this.#repositories.putManifest(keyOf(target), digest, { mediaType: facts.mediaType }, facts.blobs)
      await this.#warm(digest, bytes)
      return true
    } catch (error) {
      this.#log.warn({ err: error, code: errorCode(error), digest }, 'manifest could not be stored: it is served all the same')
      return false
    }
  }

  async #content(digest: Digest): Promise<Buffer | undefined> {
    const hot = await this.#hot.get(hotKey(digest))
    if (hot !== undefined) return hot
    const stored = await this.#blobs.open(digest)
    if (stored === undefined) return undefined
    const bytes = await stored.bytes()
    await this.#warm(digest, bytes)
    return bytes
  }

  async #warm(digest: Digest, bytes: Buffer): Promise<void> {
    if (bytes.length <= HOT_SIZE) await this.#hot.set(hotKey(digest), bytes, HOT)
  }
}

function hotKey(digest: Digest): string {
  return `content:${digest}`
}
