/** Bytes that are kept although they are on disk: what a reader that keeps up is behind by. */
const WINDOW = 2 * 1024 * 1024

/** The latest bytes of a fill, in memory: the disk may lag behind, and readers that keep up need not read the file. */
export class Recent {
  readonly #chunks: { at: number; bytes: Buffer }[] = []
  #end: number

  constructor(start: number) {
    this.#end = start
  }

  /** Position behind the last byte. */
  get end(): number {
    return this.#end
  }

  push(bytes: Buffer): void {
    this.#chunks.push({ at: this.#end, bytes })
    this.#end += bytes.length
  }

  /** Everything from a position on that is still kept. */
  from(position: number): Buffer[] {
    return this.#chunks
      .filter(({ at, bytes }) => at + bytes.length > position)
      .map(({ at, bytes }) => bytes.subarray(Math.max(0, position - at)))
  }

  /** @returns bytes copied; 0 where the position is not kept, any more or yet */
  copy(target: Buffer, position: number): number {
    const first = this.#chunks.findIndex(({ at, bytes }) => at <= position && position < at + bytes.length)
    let copied = 0
    for (let index = first; index >= 0 && index < this.#chunks.length && copied < target.length; index += 1) {
      const { at, bytes } = this.#chunks[index] ?? { at: 0, bytes: target }
      copied += bytes.copy(target, copied, position + copied - at)
    }
    return copied
  }

  /** Forgets what is both on disk and old. @param written position up to which the disk has everything */
  trim(written: number): void {
    const keep = Math.min(written, this.#end - WINDOW)
    const gone = this.#chunks.findIndex(({ at, bytes }) => at + bytes.length > keep)
    this.#chunks.splice(0, gone < 0 ? this.#chunks.length : gone)
  }
}
