import type { Readable } from 'node:stream'

/** What a stranger's error or token answer may weigh, bytes. */
export const ANSWER_CAP = 64 * 1024

/** Reads a body that nobody wants, so that its connection can be used again; hangs up where it is long. */
export function discard(body: Readable): void {
  let left = ANSWER_CAP
  body.on('error', () => {})
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) body.destroy()
  })
}

/** Closes the connection: the rest of the body is not worth reading. */
export function hangUp(body: Readable): void {
  body.on('error', () => {})
  body.destroy()
}

/** @returns undefined where the body is longer than `cap`; it is hung up then. @throws the stream's error */
export async function readCapped(body: Readable, cap: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the stream.
    if (size > cap) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
