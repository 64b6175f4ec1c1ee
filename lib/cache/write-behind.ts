import type { Hash } from 'node:crypto'
import type { PartialBlob } from '../store/blob-store.ts'
import { Recent } from './recent.ts'

/** Bytes that may wait for the disk before upstream has to. */
const BACKLOG = 2 * 1024 * 1024

/** Chunks in one write: an upstream that drips single bytes must not make millions of arguments of its backlog. */
const BATCH = 1024

/** The disk did not take what it was given; `cause` is its error. */
export class Unwritable extends Error {
  override readonly name = 'Unwritable'

  constructor(cause: unknown) {
    super('the disk refuses', { cause })
  }
}

/** A partial blob whose latest bytes are in memory: there to be read at once, and written behind, many at a time. */
export class WriteBehind {
  readonly #partial: PartialBlob
  readonly #recent: Recent
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #refusal: Unwritable | undefined

  constructor(partial: PartialBlob) {
    this.#partial = partial
    this.#recent = new Recent(partial.size)
  }

  /** Bytes that are here, in memory or on disk. */
  get size(): number {
    return this.#recent.end
  }

  /** Takes the next bytes; waits only while the disk lags too far behind. @throws Unwritable, for these or earlier bytes */
  async push(chunk: Buffer): Promise<void> {
    if (this.#refusal) throw this.#refusal
    this.#recent.push(chunk)
    if (!this.#isWriting) this.#writing = this.#write()
    if (this.#recent.end - this.#partial.size > BACKLOG) await this.#writing
  }

  /** Waits until the disk has everything. @throws Unwritable */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#refusal) throw this.#refusal
  }

  /** A copy of the running hash over all that is here. */
  hash(): Hash {
    const hash = this.#partial.hash()
    for (const chunk of this.#recent.from(this.#partial.size)) hash.update(chunk)
    return hash
  }

  /** @returns the number of bytes read into the buffer */
  async read(buffer: Buffer, position: number): Promise<number> {
    return this.#recent.copy(buffer, position) || this.#partial.read(buffer, position)
  }

  /** Never rejects: a refusal is kept for whoever comes next. */
  async #write(): Promise<void> {
    this.#isWriting = true
    try {
      while (this.#partial.size < this.#recent.end) {
        await this.#partial.append(...this.#recent.from(this.#partial.size).slice(0, BATCH))
        this.#recent.trim(this.#partial.size)
      }
    } catch (error) {
      this.#refusal = new Unwritable(error)
    }
    this.#isWriting = false
  }
}
