import { sleep, type Clock } from '../clock.ts'
import type { ByteRange } from '../upstream/upstream.ts'
import { downloadBody, type Body } from './body.ts'
import type { Download } from './download.ts'
import type { Fill } from './fill.ts'

/** Milliseconds that a reader far ahead of the fill waits for it before it asks upstream for its range itself. */
const AHEAD_PATIENCE = 1000

export interface FillBodyDeps {
  clock: Clock
  /** The reader's own way to upstream, for what the fill cannot give it. */
  openRest(range: ByteRange): Promise<Download>
}

/**
 * A blob, or a part of it, that is being filled. It fails before the blob's last byte when the whole turns out wrong.
 * Whoever makes it has acquired the fill.
 */
export class FillBody implements Body {
  readonly #fill: Fill
  /** Exclusive; undefined: to the end, wherever that is. */
  readonly #end: number | undefined
  readonly #deps: FillBodyDeps
  #position: number
  #hasBegun = false
  #rest: Body | undefined
  #isAborted = false

  constructor(fill: Fill, start: number, end: number | undefined, deps: FillBodyDeps) {
    this.#fill = fill
    this.#position = start
    this.#end = end
    this.#deps = deps
  }

  abort(): void {
    this.#isAborted = true
    this.#rest?.abort()
  }

  async read(buffer: Buffer): Promise<number> {
    if (!this.#hasBegun) await this.#begin()
    while (this.#rest === undefined) {
      if (this.#isAborted) throw new Error('nobody reads any more')
      const available = Math.min(this.#fill.readable, this.#end ?? Infinity) - this.#position
      if (available > 0) return this.#take(buffer.subarray(0, Math.min(buffer.length, available)))
      if (this.#position === this.#end) return 0
      if (this.#fill.state === 'filling') await this.#fill.changed()
      else if (this.#isAtEnd()) return 0
      else this.#rest = await this.#afterFill()
    }
    return this.#rest.read(buffer)
  }

  async #begin(): Promise<void> {
    this.#hasBegun = true
    if (!await this.#isFarAhead()) return
    // Where upstream will not give the range either, the fill gets there in the end.
    const ahead = await this.#openRest().catch(() => undefined)
    if (ahead) this.#rest = downloadBody(ahead)
  }

  async #take(buffer: Buffer): Promise<number> {
    const length = await this.#fill.read(buffer, this.#position)
    if (length === 0) throw new Error(`the file of ${this.#fill.digest} was cut short by somebody else`)
    this.#position += length
    return length
  }

  /** All bytes have been read, of a fill that is over. @throws what ended it, or that upstream had promised more */
  #isAtEnd(): boolean {
    const { state, failure, digest, received } = this.#fill
    if (state === 'unwritable') return false
    if (state === 'failed') throw failure
    if (this.#end !== undefined) throw new Error(`upstream promised more than the ${received} bytes that ${digest} has`)
    return true
  }

  /** The disk refused: the rest comes from upstream, hashed on from where the fill ended. */
  async #afterFill(): Promise<Body> {
    const { digest, received, size } = this.#fill
    const isWholeTail = this.#position === received && (this.#end === undefined || this.#end === size)
    const hash = isWholeTail ? this.#fill.hash() : undefined
    return downloadBody(await this.#openRest(), hash && { hash, digest })
  }

  async #isFarAhead(): Promise<boolean> {
    const isAhead = (): boolean => this.#fill.state === 'filling' && this.#position > this.#fill.received
    if (!isAhead()) return false
    let isPatient = true
    const patience = sleep(this.#deps.clock, AHEAD_PATIENCE).then(() => { isPatient = false })
    while (isPatient && isAhead()) await Promise.race([patience, this.#fill.changed()])
    return isAhead()
  }

  async #openRest(): Promise<Download> {
    const range = this.#end === undefined ? { first: this.#position } : { first: this.#position, last: this.#end - 1 }
    const rest = await this.#deps.openRest(range)
    if (this.#isAborted) rest.abort()
    return rest
  }
}
