import type { Hash } from 'node:crypto'
import { digestFrom, type Digest } from '../oci/digest.ts'
import { DigestMismatch, type StoredBlob } from '../store/blob-store.ts'
import type { Download } from './download.ts'

/** Bytes for one client, from their first to their last. The caller's buffers are filled, so that none are made a chunk. */
export interface Body {
  /**
   * Waits for bytes that are still to come. One call at a time.
   * @returns how many of the next bytes stand in the buffer; 0 at the end
   * @throws when they will not come, or turned out wrong
   */
  read(buffer: Buffer): Promise<number>
  /** Nobody reads any more: what runs for this body alone ends. May be called twice. */
  abort(): void
}

/** @param end exclusive */
export function storedBody(blob: StoredBlob, start: number, end: number): Body {
  let position = start
  return {
    async read(buffer) {
      const length = await blob.read(buffer.subarray(0, Math.min(buffer.length, end - position)), position)
      position += length
      return length
    },
    abort() {},
  }
}

export interface Check {
  digest: Digest
  /** Over all bytes before the download's. */
  hash: Hash
}

/** The bytes of a download. Checked, its last chunk is held back until the whole is known to match. */
export function downloadBody(download: Download, check?: Check): Body {
  const chunks = (check ? checked(download.chunks, check) : download.chunks)[Symbol.asyncIterator]()
  let left: Buffer = Buffer.alloc(0)
  return {
    async read(buffer) {
      while (left.length === 0) {
        const next = await chunks.next()
        if (next.done === true) return 0
        left = next.value
      }
      const length = left.copy(buffer)
      left = left.subarray(length)
      return length
    },
    abort: () => download.abort(),
  }
}

/** The bytes of a download that begins with the first read. */
export function laterBody(open: () => Promise<Download>): Body {
  let body: Body | undefined
  let isAborted = false
  return {
    async read(buffer) {
      body ??= downloadBody(await open())
      if (isAborted) body.abort()
      return body.read(buffer)
    },
    abort() {
      isAborted = true
      body?.abort()
    },
  }
}

async function* checked(chunks: AsyncIterable<Buffer>, { hash, digest }: Check): AsyncGenerator<Buffer, void, void> {
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
