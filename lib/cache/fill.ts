import type { Hash } from 'node:crypto'
import { digestFrom, type Digest } from '../oci/digest.ts'
import { DigestMismatch, type PartialBlob } from '../store/blob-store.ts'
import { errorCode } from '../store/durable.ts'
import { openDownload, type BlobSource, type Download, type DownloadDeps } from './download.ts'
import { Unwritable, WriteBehind } from './write-behind.ts'

/**
 * - `filling`: bytes arrive
 * - `verified`: all are there, and match the digest
 * - `unwritable`: the disk refused; what it took stays readable, the rest each reader fetches for itself
 * - `failed`: upstream gave up, or the bytes turned out wrong
 */
export type FillState = 'filling' | 'verified' | 'unwritable' | 'failed'

/**
 * One running download of one digest into the store. It belongs to the store: clients come, read the growing file at
 * their own speed, and leave; none of them drives it and none of them ends it.
 */
export class Fill {
  readonly digest: Digest
  /** Upstream's; absent where the file of an earlier attempt was complete and upstream was not asked. */
  readonly upstreamStatus: number | undefined
  /** Settles when nothing more will be written; never rejects. */
  readonly finished: Promise<void>
  state: FillState = 'filling'
  failure: unknown
  readonly #partial: PartialBlob
  readonly #bytes: WriteBehind
  readonly #download: Download | undefined
  readonly #promisedSize: number | undefined
  readonly #sources: BlobSource[]
  readonly #deps: DownloadDeps
  #readers = 0
  #isOver = false
  #isStopping = false
  #changed = new Signal()

  /** @throws UpstreamFailure; `partial` is closed then */
  static async open(digest: Digest, source: BlobSource, partial: PartialBlob, deps: DownloadDeps): Promise<Fill> {
    const sources = [source]
    const bytes = new WriteBehind(partial)
    const isWhole = (): boolean => digestFrom(bytes.hash(), digest) === digest
    // A process killed between the last byte and the commit left a whole file: upstream need not be asked.
    if (bytes.size > 0 && isWhole()) return new Fill(digest, sources, partial, bytes, undefined, deps)
    try {
      const download = await openDownload(sources, { first: bytes.size }, { ...deps, isWhole })
      return new Fill(digest, sources, partial, bytes, download, deps)
    } catch (error) {
      await partial.close()
      throw error
    }
  }

  private constructor(digest: Digest, sources: BlobSource[], partial: PartialBlob, bytes: WriteBehind, download: Download | undefined, deps: DownloadDeps) {
    this.digest = digest
    this.#promisedSize = download ? download.size : partial.size
    this.upstreamStatus = download?.status
    this.#sources = sources
    this.#partial = partial
    this.#bytes = bytes
    this.#download = download
    this.#deps = deps
    this.finished = this.#run()
  }

  /** Bytes of the whole blob: as upstream promises, until all are there. */
  get size(): number | undefined {
    return this.state === 'verified' ? this.received : this.#promisedSize
  }

  /** Bytes that are here so far. */
  get received(): number {
    return this.#bytes.size
  }

  /** Bytes that may be given away: all but the last one until the whole is verified, so that nobody takes a wrong blob for whole. */
  get readable(): number {
    const isComplete = this.state === 'verified' || this.state === 'unwritable'
    return isComplete ? this.received : Math.max(0, this.received - 1)
  }

  /** Settles at the next change of `received` or `state`. */
  changed(): Promise<void> {
    return this.#changed.next
  }

  /** Another repository that has proven to hold the blob: asked in turn when the first one breaks. */
  addSource(source: BlobSource): void {
    if (!this.#sources.some(known => known.key === source.key)) this.#sources.push(source)
  }

  /** Whether this repository's upstream answered with the blob. */
  isProvenBy(source: BlobSource): boolean {
    return this.#download !== undefined && this.#sources[0]?.key === source.key
  }

  /** Whether a reader may still come: later the store has the blob, or a new fill is due. */
  get isJoinable(): boolean {
    return !this.#isOver && (this.state === 'filling' || this.state === 'verified')
  }

  /** A copy of the running hash over all that is here. */
  hash(): Hash {
    return this.#bytes.hash()
  }

  /** @returns the number of bytes read into the buffer, all of them below `received` */
  read(buffer: Buffer, position: number): Promise<number> {
    return this.#bytes.read(buffer, position)
  }

  /** Keeps the file open for a reader. @returns the way to let go of it, to be called once; undefined when it is closed already */
  acquire(): (() => void) | undefined {
    if (this.#isOver && this.#readers === 0) return undefined
    this.#readers += 1
    return () => {
      this.#readers -= 1
      void this.#closeIfUnused()
    }
  }

  /** Ends the fill early; what is written waits for the next one. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#download?.abort()
    await this.finished
  }

  async #run(): Promise<void> {
    try {
      if (this.#download) await this.#append(this.#download)
      const actual = digestFrom(this.hash(), this.digest)
      if (actual !== this.digest) throw new DigestMismatch(this.digest, actual)
      this.#enter('verified')
      await this.#commit()
    } catch (error) {
      await this.#giveUp(error)
    }
    this.#isOver = true
    await this.#closeIfUnused()
  }

  /** However it ends, the disk gets what came. */
  async #append(download: Download): Promise<void> {
    try {
      for await (const chunk of download.chunks) {
        const pushed = this.#bytes.push(chunk)
        this.#changed.fire()
        await pushed
      }
    } finally {
      await this.#bytes.flush()
    }
  }

  /** Readers have all bytes by now, so a disk that refuses here costs nothing but the copy. */
  async #commit(): Promise<void> {
    try {
      await this.#partial.commit()
    } catch (error) {
      this.#deps.log.warn({ err: error, code: errorCode(error), digest: this.digest }, 'blob could not be committed: served, and not kept')
      await this.#discard()
    }
  }

  /** The file is out of the way before anybody learns of it, so that the next fill begins with its own. */
  async #giveUp(error: unknown): Promise<void> {
    if (error instanceof Unwritable) {
      this.#deps.log.warn({ err: error.cause, code: errorCode(error.cause), digest: this.digest }, 'blob cannot be written: the rest is passed through')
      await this.#discard()
      return this.#enter('unwritable')
    }
    if (error instanceof DigestMismatch) await this.#discard()
    if (!this.#isStopping) this.#deps.log.error({ err: error, digest: this.digest, received: this.received, size: this.size }, 'fill failed')
    this.failure = error
    this.#enter('failed')
  }

  /** A disk that went read-only does not even delete: the next fill of the digest finds the bytes, and has to refute them. */
  async #discard(): Promise<void> {
    await this.#partial.discard().catch((error: unknown) => {
      this.#deps.log.warn({ err: error, code: errorCode(error), digest: this.digest }, 'bytes of a fill could not be thrown away')
    })
  }

  #enter(state: FillState): void {
    this.state = state
    this.#changed.fire()
  }

  async #closeIfUnused(): Promise<void> {
    if (!this.#isOver || this.#readers > 0) return
    // Network file systems report at close that bytes were lost: what counts was synced before.
    await this.#partial.close().catch((error: unknown) => {
      this.#deps.log.warn({ err: error, code: errorCode(error), digest: this.digest }, 'file of a fill could not be closed')
    })
  }
}

/** A promise that can be settled over and over. */
class Signal {
  next: Promise<void>
  #settle: () => void = () => undefined

  constructor() {
    this.next = this.#arm()
  }

  fire(): void {
    const settle = this.#settle
    this.next = this.#arm()
    settle()
  }

  #arm(): Promise<void> {
    return new Promise(resolve => { this.#settle = resolve })
  }
}
