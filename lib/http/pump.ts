import type { Writable } from 'node:stream'
import type { Body } from '../cache/body.ts'

/** Bytes read and written at once. */
const BUFFER_SIZE = 512 * 1024

/**
 * Sends a body with two buffers in turn: one is read into while the other is on its way. Streams make a new buffer a
 * chunk, and spend more time in the garbage collector than in the kernel.
 * @param length bytes of the body, where they are known
 * @param count called with the bytes of each write
 * @returns bytes sent, all of them flushed; the writable is not ended
 * @throws what the body throws, or ClientLeft
 */
export async function pump(body: Body, writable: Writable, length: number | undefined, count: (bytes: number) => void): Promise<number> {
  const writer = new Writer(writable, () => body.abort())
  const size = Math.min(BUFFER_SIZE, length ?? BUFFER_SIZE)
  const [one, other] = [new Lane(size), new Lane(size)]
  let sent = 0
  try {
    for (let lane = one; sent !== length; lane = lane === one ? other : one) {
      await lane.flushed
      const bytes = await body.read(lane.buffer)
      if (bytes === 0) break
      sent += bytes
      count(bytes)
      lane.flushed = writer.write(lane.buffer.subarray(0, bytes))
    }
    await Promise.all([one.flushed, other.flushed])
    return sent
  } finally {
    body.abort()
  }
}

/** The bytes could not be given to whom they are for: nobody's fault here. */
export class ClientLeft extends Error {
  override readonly name = 'ClientLeft'

  constructor(cause?: unknown) {
    super('the client closed the connection', { cause })
  }
}

class Lane {
  /** Settles when the buffer may be used again. */
  flushed: Promise<void> = Promise.resolve()
  readonly #size: number
  #buffer: Buffer | undefined

  constructor(size: number) {
    this.#size = size
  }

  /** Made when it is needed: most blobs are small, and need one. */
  get buffer(): Buffer {
    this.#buffer ??= Buffer.allocUnsafe(this.#size)
    return this.#buffer
  }
}

/** Writes that say when the kernel has them, and fail when the connection closes first: Node does not always tell. */
class Writer {
  readonly #writable: Writable
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(writable: Writable, onClose: () => void) {
    this.#writable = writable
    writable.once('close', () => {
      for (const reject of this.#waiting) reject(new ClientLeft())
      onClose()
    })
  }

  write(chunk: Buffer): Promise<void> {
    const flushed = new Promise<void>((resolve, reject) => {
      if (this.#writable.destroyed) return reject(new ClientLeft())
      this.#waiting.add(reject)
      this.#writable.write(chunk, error => {
        this.#waiting.delete(reject)
        if (error) reject(new ClientLeft(error))
        else resolve()
      })
    })
    // Awaited a turn later, and until then nobody would hear it fail.
    flushed.catch(() => undefined)
    return flushed
  }
}
