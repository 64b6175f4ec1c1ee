import { rename } from 'node:fs/promises'
import { relative } from 'node:path'
import { asDigest, type Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createMarkers, errorCode, readIfPresent, writeDurably } from './durable.ts'
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
  /** By project. Hot records carry it, too: those of another upstream outlive a restart in a shared store. */
  readonly #upstreams = new Map<string, string>()

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
    this.#upstreams.set(project, upstream)
    const path = this.#layout.projectUpstream(project)
    const bytes = await readIfPresent(path)
    const known = parseObject(bytes)?.['upstream']
    if (known === upstream) return
    // Also where the file is damaged: nobody knows whose records these are then.
    if (bytes !== undefined) {
      const aside = this.#layout.projectAside(project, this.#clock.now())
      await rename(this.#layout.project(project), aside)
      this.#log.warn({ project, from: known, to: upstream, aside }, 'project points to another upstream: its records are set aside')
    }
    await this.#store(path, { upstream })
  }

  async tag(key: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    const record = await this.#read(key, this.#layout.tag(key, tag))
    const digest = asDigest(record?.['digest'])
    const confirmedAt = record?.['confirmedAt']
    // The name inside guards against file systems that take V1 for v1.
    if (record?.['tag'] !== tag || digest === undefined || !isInstant(confirmedAt)) return undefined
    return { tag, digest, confirmedAt }
  }

  async putTag(key: RepositoryKey, record: TagRecord, previous?: TagRecord): Promise<void> {
    const path = this.#layout.tag(key, record.tag)
    if (previous !== undefined && saysTheSame(record, previous)) return this.#warm(key, path, record)
    await this.#write(key, path, record)
  }

  async manifest(key: RepositoryKey, digest: Digest): Promise<ManifestRecord | undefined> {
    const mediaType = (await this.#read(key, this.#layout.manifest(key, digest)))?.['mediaType']
    return typeof mediaType === 'string' ? { mediaType } : undefined
  }

  /** The blobs that the manifest names first: a manifest on record whose blobs are not would fail pulls in an outage. */
  async putManifest(key: RepositoryKey, digest: Digest, record: ManifestRecord, blobs: readonly Digest[]): Promise<void> {
    await this.addBlobs(key, blobs)
    await this.#write(key, this.#layout.manifest(key, digest), record)
  }

  async holdsBlob(key: RepositoryKey, digest: Digest): Promise<boolean> {
    const path = this.#layout.blobLink(key, digest)
    if ((await this.#hot.get(this.#hotKey(key, path))) !== undefined) return true
    if ((await this.#file(path)) === undefined) return false
    await this.#warm(key, path, {})
    return true
  }

  async addBlobs(key: RepositoryKey, digests: readonly Digest[]): Promise<void> {
    await createMarkers(digests.map(digest => this.#layout.blobLink(key, digest)))
  }

  async #read(key: RepositoryKey, path: string): Promise<Record<string, unknown> | undefined> {
    const hot = parseObject(await this.#hot.get(this.#hotKey(key, path)))
    if (hot !== undefined) return hot
    const record = parseObject(await this.#file(path))
    if (record !== undefined) await this.#warm(key, path, record)
    return record
  }

  /** A record that the disk does not give is none: upstream may. */
  async #file(path: string): Promise<Buffer | undefined> {
    try {
      return await readIfPresent(path)
    } catch (error) {
      this.#log.error({ err: error, code: errorCode(error), path }, 'record cannot be read: taken for missing')
      return undefined
    }
  }

  async #write(key: RepositoryKey, path: string, record: object): Promise<void> {
    await this.#store(path, record)
    await this.#warm(key, path, record)
  }

  #store(path: string, record: object): Promise<void> {
    return writeDurably(this.#layout.partials(), path, `${JSON.stringify(record)}\n`)
  }

  #warm(key: RepositoryKey, path: string, record: object): Promise<void> {
    return this.#hot.set(this.#hotKey(key, path), Buffer.from(JSON.stringify(record)), HOT)
  }

  /** Relative, as replicas may have the directory mounted elsewhere. */
  #hotKey({ project }: RepositoryKey, path: string): string {
    return `${this.#upstreams.get(project) ?? ''} ${relative(this.#layout.directory, path)}`
  }
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime())
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
