import type { Digest } from '../oci/digest.ts'
import type { BlobStore, PartialBlob } from '../store/blob-store.ts'
import { errorCode } from '../store/durable.ts'
import type { BlobSource, DownloadDeps } from './download.ts'
import { Fill } from './fill.ts'

/** `stored`: another fill was quicker. `unwritable`: the disk refuses even to begin. */
export type Opening = Promise<Fill | 'stored' | 'unwritable'>

interface Entry {
  source: BlobSource
  opening: Opening
  fill?: Fill
}

/** The fills in progress: one a digest, whoever asks. */
export class Fills {
  readonly #store: BlobStore
  readonly #deps: DownloadDeps
  readonly #active = new Map<Digest, Entry>()

  constructor(store: BlobStore, deps: DownloadDeps) {
    this.#store = store
    this.#deps = deps
  }

  /** The fill that runs or opens for a digest. */
  find(digest: Digest): Opening | undefined {
    return this.#joinable(digest)?.opening
  }

  /**
   * Joins the fill that runs, or begins it.
   * @returns `opening`, and the source that it depends on
   * @throws UpstreamFailure, from `opening`: that of its source
   */
  join(digest: Digest, source: BlobSource): { opening: Opening; source: BlobSource; isNew: boolean } {
    const running = this.#joinable(digest)
    if (running) return { ...running, isNew: false }
    const entry: Entry = { source, opening: this.#open(digest, source) }
    this.#active.set(digest, entry)
    void this.#track(digest, entry)
    return { ...entry, isNew: true }
  }

  /** Ends all fills; what they have is resumed by the next. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#active.values()].map(async ({ fill }) => fill?.stop()))
  }

  #joinable(digest: Digest): Entry | undefined {
    const entry = this.#active.get(digest)
    return entry?.fill === undefined || entry.fill.isJoinable ? entry : undefined
  }

  async #open(digest: Digest, source: BlobSource): Opening {
    const stored = await this.#store.open(digest).catch(() => undefined)
    if (stored) {
      await stored.close()
      return 'stored'
    }
    let partial: PartialBlob
    try {
      partial = await this.#store.begin(digest)
    } catch (error) {
      this.#deps.log.warn({ err: error, code: errorCode(error), digest }, 'blob cannot be written: it is passed through')
      return 'unwritable'
    }
    return Fill.open(digest, source, partial, this.#deps)
  }

  async #track(digest: Digest, entry: Entry): Promise<void> {
    const opened = await entry.opening.catch(() => undefined)
    if (opened instanceof Fill) {
      entry.fill = opened
      await opened.finished
    }
    if (this.#active.get(digest) === entry) this.#active.delete(digest)
  }
}
