import type { Hash } from 'node:crypto'
import type { Digest } from '../oci/digest.ts'

/** Content by digest. Bytes become visible only after a verified commit. */
export interface BlobStore {
  /** @returns undefined for content that is not here; what is returned stays readable until closed, even when removed */
  open(digest: Digest): Promise<StoredBlob | undefined>
  /** Whole content that is already in memory and small, a manifest. @throws DigestMismatch, or the disk's error */
  put(digest: Digest, bytes: Uint8Array): Promise<void>
  /** The one partial copy of a digest: what an earlier attempt left, or an empty one. @throws the disk's error */
  begin(digest: Digest): Promise<PartialBlob>
}

export interface StoredBlob {
  /** Bytes. */
  readonly size: number
  /** @returns the number of bytes read into the buffer; 0 at the end */
  read(buffer: Uint8Array, position: number): Promise<number>
  /** All of it at once, and closed. */
  bytes(): Promise<Buffer>
  close(): Promise<void>
}

export interface PartialBlob {
  /** Bytes written so far. */
  readonly size: number
  /** A copy of the running hash over those bytes. */
  hash(): Hash
  append(...chunks: Uint8Array[]): Promise<void>
  /** Reads within what is written; still works after commit. @returns the number of bytes read into `buffer` */
  read(buffer: Uint8Array, position: number): Promise<number>
  /** Makes the bytes visible, durably. @throws DigestMismatch, or the disk's error; nothing is visible then */
  commit(): Promise<void>
  /** Throws the bytes away, as they turned out wrong. Open readers keep theirs. */
  discard(): Promise<void>
  /** Lets go of the file; bytes that were not committed or discarded wait for the next `begin`. */
  close(): Promise<void>
}

export class DigestMismatch extends Error {
  override readonly name = 'DigestMismatch'
  readonly code = 'DIGEST_MISMATCH'

  constructor(digest: Digest, actual: string) {
    super(`content does not match its digest: expected ${digest}, got ${actual}`)
  }
}
