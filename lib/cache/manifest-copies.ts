import { errorCode } from '../store/durable.ts'
import type { BlobStore } from '../store/blob-store.ts'
import type { MetaStore } from '../store/meta-store.ts'
import type { Repositories } from '../store/repositories.ts'
import { digestOf, digestParts, type Digest } from '../oci/digest.ts'
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
    if (hot !== undefined && matches(hot, digest)) return hot
    const bytes = await this.#stored(digest)
    if (bytes !== undefined) await this.#warm(digest, bytes)
    return bytes
  }

  /** Content that the disk does not give, or not as it was, is none: upstream may give it. */
  async #stored(digest: Digest): Promise<Buffer | undefined> {
    try {
      const bytes = await (await this.#blobs.open(digest))?.bytes()
      if (bytes === undefined || matches(bytes, digest)) return bytes
      this.#log.error({ digest }, 'manifest is damaged on disk: it is fetched again')
    } catch (error) {
      this.#log.error({ err: error, code: errorCode(error), digest }, 'manifest cannot be read: it is fetched again')
    }
    return undefined
  }

  async #warm(digest: Digest, bytes: Buffer): Promise<void> {
    if (bytes.length <= HOT_SIZE) await this.#hot.set(hotKey(digest), bytes, HOT)
  }
}

function matches(bytes: Buffer, digest: Digest): boolean {
  return digestOf(bytes, digestParts(digest).algorithm) === digest
}

function hotKey(digest: Digest): string {
  return `content:${digest}`
}
