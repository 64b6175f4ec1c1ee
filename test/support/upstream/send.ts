import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from './exchange.ts'

const CHUNK = 256 * 1024
// Slices of a slowed body, per second: fine enough that a reader sees a stream and not bursts.
const SLICES = 20

/** Puts a reply on the wire as it says. @returns the bytes of the body that were written */
export async function send(response: ServerResponse, method: string, answer: Reply): Promise<number> {
  if (answer.dropped === true) {
    hangUp(response.socket, answer.reset === true)
    return 0
  }
  response.writeHead(answer.status, headersOf(answer))
  if (method === 'HEAD' || answer.status === 204 || answer.status === 304) {
    response.end()
    return 0
  }
  response.flushHeaders()
  const stop = Math.min(answer.cutAfter ?? Infinity, answer.stallAfter ?? Infinity, answer.body.length)
  const written = await writeBody(response, answer.body.subarray(0, stop), answer.bytesPerSecond)
  if (written < stop) return written
  if (answer.cutAfter !== undefined) hangUp(response.socket, answer.reset === true)
  else if (answer.stallAfter === undefined) response.end()
  return written
}

function headersOf(answer: Reply): Record<string, string> {
  if (answer.chunked === true || 'content-length' in answer.headers) return { ...answer.headers }
  return { ...answer.headers, 'content-length': String(answer.body.length) }
}

function hangUp(socket: Socket | null, reset: boolean): void {
  if (reset) socket?.resetAndDestroy()
  else socket?.destroy()
}

/** A token bucket without a bucket: each slice is due at its own time since the start, so lateness does not add up. */
async function writeBody(response: ServerResponse, body: Buffer, bytesPerSecond: number | undefined): Promise<number> {
  const size = bytesPerSecond === undefined ? CHUNK : Math.min(CHUNK, Math.max(1, Math.floor(bytesPerSecond / SLICES)))
  const began = performance.now()
  let offset = 0
  while (offset < body.length && !response.destroyed) {
    const chunk = body.subarray(offset, offset + size)
    if (!(await writeChunk(response, chunk))) break
    offset += chunk.length
    const due = bytesPerSecond === undefined ? 0 : (offset / bytesPerSecond) * 1000
    const early = due - (performance.now() - began)
    if (early > 1) await sleep(early)
  }
  return offset
}

/** Resolves when the kernel has it, so that a cut comes after the byte it was ordered for, and not before. */
function writeChunk(response: ServerResponse, chunk: Buffer): Promise<boolean> {
  return new Promise(resolve => {
    const gone = (): void => resolve(false)
    response.once('close', gone)
    response.write(chunk, error => {
      response.off('close', gone)
      resolve(!error)
    })
  })
}
