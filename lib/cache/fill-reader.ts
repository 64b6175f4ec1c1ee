import type { Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { sleep, type Clock } from '../clock.ts'
import { digestFrom, hasherFor, type Digest } from '../oci/digest.ts'
import { DigestMismatch } from '../store/blob-store.ts'
import type { ByteRange } from '../upstream/upstream.ts'
import type { Download } from './download.ts'
import type { Fill } from './fill.ts'

/** Bytes given to a reader at once. */
const READ_SIZE = 256 * 1024

/** Milliseconds that a reader far ahead of the fill waits for it before it asks upstream for its range itself. */
const AHEAD_PATIENCE = 1000

export interface FillReaderDeps {
  clock: Clock
  /** The reader's own way to upstream, for what the fill cannot give it. */
  openRest(range: ByteRange): Promise<Download>
}

/**
 * The bytes from `start` to `end` (exclusive; undefined: to the end, wherever that is) of a blob that is being filled.
 * The stream fails before the blob's last byte when the whole turns out wrong. The caller has acquired the fill.
 */
export function readFill(fill: Fill, start: number, end: number | undefined, deps: FillReaderDeps): Readable {
  const reader = new FillReader(fill, start, end, deps)
  return streamOf(reader.chunks(), () => reader.abort())
}

/** The bytes of a whole blob's download, as a stream, checked against the digest. */
export function readDownload(download: Download, digest: Digest): Readable {
  return streamOf(checked(download.chunks, hasherFor(digest), digest), () => download.abort())
}

/** The bytes of a part, which is asked for at the first read. */
export function readPart(open: () => Promise<Download>): Readable {
  let download: Download | undefined
  let isAborted = false
  const chunks = async function* (): AsyncGenerator<Buffer, void, void> {
    download = await open()
    if (isAborted) download.abort()
    yield* download.chunks
  }
  return streamOf(chunks(), () => { isAborted = true; download?.abort() })
}

/** Aborts before the generator is told to end: it may be waiting for upstream, and would take being told for upstream's failure. */
function streamOf(chunks: AsyncIterable<Buffer>, abort: () => void): Readable {
  const stream = Readable.from(chunks, { objectMode: false })
  const destroy = stream._destroy.bind(stream)
  stream._destroy = (error, done) => {
    abort()
    destroy(error, done)
  }
  return stream
}

class FillReader {
  readonly #fill: Fill
  readonly #end: number | undefined
  readonly #deps: FillReaderDeps
  #position: number
  #rest: Download | undefined
  #aborted = false

  constructor(fill: Fill, start: number, end: number | undefined, deps: FillReaderDeps) {
    this.#fill = fill
    this.#position = start
    this.#end = end
    this.#deps = deps
  }

  abort(): void {
    this.#aborted = true
    this.#rest?.abort()
  }

  async *chunks(): AsyncGenerator<Buffer, void, void> {
    // Where upstream will not give the range either, the fill gets there in the end.
    const ahead = await this.#isFarAhead() ? await this.#openRest().catch(() => undefined) : undefined
    if (ahead) {
      yield* ahead.chunks
      return
    }
    while (!this.#isDone() && !this.#aborted) {
      const limit = Math.min(this.#fill.readable, this.#end ?? Infinity)
      if (this.#position < limit) {
        const chunk = await this.#fill.read(this.#position, Math.min(READ_SIZE, limit - this.#position))
        if (chunk.length === 0) throw new Error(`the file of ${this.#fill.digest} was cut short by somebody else`)
        this.#position += chunk.length
        yield chunk
      } else if (this.#fill.state === 'filling') {
        await this.#fill.changed()
      } else {
        return yield* this.#beyond()
      }
    }
  }

  #isDone(): boolean {
    return this.#end !== undefined && this.#position >= this.#end
  }

  /** The fill has ended, and the reader has all that it gave. */
  async *#beyond(): AsyncGenerator<Buffer, void, void> {
    const { state, failure, digest, written } = this.#fill
    if (state === 'failed') throw failure
    if (state === 'unwritable') {
      const isWholeTail = this.#end === undefined || this.#end === this.#fill.size
      const hash = isWholeTail && this.#position === written ? this.#fill.hash() : undefined
      const download = await this.#openRest()
      yield* hash ? checked(download.chunks, hash, digest) : download.chunks
      return
    }
    if (this.#end !== undefined) throw new Error(`upstream promised more than the ${written} bytes that ${digest} has`)
  }

  async #isFarAhead(): Promise<boolean> {
    if (this.#position <= this.#fill.written) return false
    let isPatient = true
    const patience = sleep(this.#deps.clock, AHEAD_PATIENCE).then(() => { isPatient = false })
    while (isPatient && this.#fill.state === 'filling' && this.#position > this.#fill.written) {
      await Promise.race([patience, this.#fill.changed()])
    }
    return this.#fill.state === 'filling' && this.#position > this.#fill.written
  }

  async #openRest(): Promise<Download> {
    const range = this.#end === undefined ? { first: this.#position } : { first: this.#position, last: this.#end - 1 }
    this.#rest = await this.#deps.openRest(range)
    if (this.#aborted) this.#rest.abort()
    return this.#rest
  }
}

/** Holds the last chunk back until the whole is known to match. @param hash over what came before */
async function* checked(chunks: AsyncIterable<Buffer>, hash: Hash, digest: Digest): AsyncGenerator<Buffer, void, void> {
  let held: Buffer | undefined
  for await (const chunk of chunks) {
    if (held) yield held
    hash.update(chunk)
    held = chunk
  }
  const actual = digestFrom(hash, digest)
  if (actual !== digest) throw new DigestMismatch(digest, actual)
  if (held) yield held
}
