import { rename } from 'node:fs/promises'
import { relative } from 'node:path'
import { asDigest, type Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createMarkers, readIfPresent, writeDurably } from './durable.ts'
import type { Layout, RepositoryKey } from './layout.ts'
import type { MetaStore } from './meta-store.ts'

/** What a tag meant when upstream last said so. */
export interface TagRecord {
  tag: Tag
  digest: Digest
  /** Milliseconds since 1970. */
  confirmedAt: number
}

export interface ManifestRecord {
  mediaType: string
}

/** Seconds for which hot records are kept in the MetaStore; the file system has them for ever. */
const HOT = 300

/** Confirmations of a tag reach the disk once in so many milliseconds: after a restart "confirmed at" is that much too old. */
const CONFIRMATION_GRAIN = 60_000

/**
 * Which tags, manifests and blobs each repository is known to have. The truth is small files, written durably; the
 * MetaStore in front of them only saves reading them.
 */
export class Repositories {
  readonly #layout: Layout
  readonly #hot: MetaStore
  readonly #clock: Clock
  readonly #log: Log

  /** @param hot scoped to this storage directory: another directory's records would be lies here */
  constructor(layout: Layout, hot: MetaStore, clock: Clock, log: Log) {
    this.#layout = layout
    this.#hot = hot
    this.#clock = clock
    this.#log = log
  }

  /**
   * Ties a project to its upstream. Records of another upstream under the same project name would be answers of the
   * wrong registry: they are set aside, and the content is used again where the new upstream proves to have it.
   */
  async bind(project: string, upstream: string): Promise<void> {
    const path = this.#layout.projectUpstream(project)
    const known = parseObject(await readIfPresent(path))?.['upstream']
    if (known === upstream) return
    if (known !== undefined) {
      const aside = this.#layout.projectAside(project, this.#clock.now())
      await rename(this.#layout.project(project), aside)
      this.#log.warn({ project, from: known, to: upstream, aside }, 'project points to another upstream: its records are set aside')
    }
    await this.#write(path, { upstream })
  }

  async tag(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    const record = await this.#read(this.#layout.tag(key, tag))
    const digest = asDigest(record?.['digest'])
    const confirmedAt = record?.['confirmedAt']
    // The name inside guards against file systems that take V1 for v1.
    if (record?.['tag'] !== tag || digest === undefined || typeof confirmedAt !== 'number') return undefined
    return { tag, digest, confirmedAt }
  }

  async putTag(key: RepositoryKey, record: TagRecord, previous?: TagRecord): Promise<void> {
    const path = this.#layout.tag(key, record.tag)
    if (previous !== undefined && saysTheSame(record, previous)) return this.#warm(path, record)
    await this.#write(path, record)
  }

  async manifest(key: RepositoryKey, digest: Digest): Promise<ManifestRecord | undefined> {
    const mediaType = (await this.#read(this.#layout.manifest(key, digest)))?.['mediaType']
    return typeof mediaType === 'string' ? { mediaType } : undefined
  }

  /** The blobs that the manifest names first: a manifest on record whose blobs are not would fail pulls in an outage. */
  async putManifest(key: RepositoryKey, digest: Digest, record: ManifestRecord, blobs: readonly Digest[]): Promise<void> {
    await this.addBlobs(key, blobs)
    await this.#write(this.#layout.manifest(key, digest), record)
  }

  async holdsBlob(key: RepositoryKey, digest: Digest): Promise<boolean> {
    const path = this.#layout.blobLink(key, digest)
    if ((await this.#hot.get(this.#hotKey(path))) !== undefined) return true
    if ((await readIfPresent(path)) === undefined) return false
    await this.#warm(path, {})
    return true
  }

  async addBlobs(key: RepositoryKey, digests: readonly Digest[]): Promise<void> {
    await createMarkers(digests.map(digest => this.#layout.blobLink(key, digest)))
  }

  async #read(path: string): Promise<Record<string, unknown> | undefined> {
    const hot = parseObject(await this.#hot.get(this.#hotKey(path)))
    if (hot !== undefined) return hot
    const record = parseObject(await readIfPresent(path))
    if (record !== undefined) await this.#warm(path, record)
    return record
  }

  async #write(path: string, record: object): Promise<void> {
    await writeDurably(this.#layout.partials(), path, `${JSON.stringify(record)}\n`)
    await this.#warm(path, record)
  }

  /** Relative, as replicas may have the directory mounted elsewhere. */
  #hotKey(path: string): string {
    return relative(this.#layout.directory, path)
  }

  #warm(path: string, record: object): Promise<void> {
    return this.#hot.set(this.#hotKey(path), Buffer.from(JSON.stringify(record)), HOT)
  }
}

function saysTheSame(record: TagRecord, previous: TagRecord): boolean {
  const grain = (at: number): number => Math.floor(at / CONFIRMATION_GRAIN)
  return record.digest === previous.digest && grain(record.confirmedAt) === grain(previous.confirmedAt)
}

/** @returns undefined for a record that is missing or damaged: it is fetched again */
function parseObject(bytes: Buffer | undefined): Record<string, unknown> | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
