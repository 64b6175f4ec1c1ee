import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Teardown } from '../../test/support/upstream/server.ts'

/** A proxy that is the line to upstream: all answers together get so many bytes a second, as on a site's uplink. */
export interface SlowLine {
  /** `http://127.0.0.1:PORT` */
  url: string
  /** Since the last `forget`. */
  blobGets: number
  /** Of blobs, that went over the line. */
  blobBytes: number
  forget(): void
  /** Resolves when nothing is on the line: docker-registry still fetches its own copy when its client has all. */
  quiet(): Promise<void>
}

/** Milliseconds that `quiet` waits. */
const PATIENCE = 60_000

/** Milliseconds of the line's time that may be made good after a late timer. */
const SLACK = 20

export async function startSlowLine(t: Teardown, upstream: string, bytesPerSecond: number): Promise<SlowLine> {
  let free = 0
  /** The line carries one chunk after the other; resolves when it is this one's turn. */
  const turn = async (bytes: number): Promise<void> => {
    const now = performance.now()
    const at = Math.max(free, now - SLACK)
    free = at + (bytes / bytesPerSecond) * 1000
    if (at > now + 1) await sleep(at - now)
  }

  let active = 0
  const server = createServer((incoming, response) => {
    active += 1
    response.on('close', () => { active -= 1 })
    const isBlob = incoming.method === 'GET' && (incoming.url ?? '').includes('/blobs/')
    if (isBlob) line.blobGets += 1
    ask(upstream, incoming, response, async chunk => {
      await turn(chunk.length)
      if (isBlob) line.blobBytes += chunk.length
    })
  })
  server.keepAliveTimeout = 90_000
  await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })

  const line: SlowLine = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobGets: 0,
    blobBytes: 0,
    async quiet() {
      for (const until = performance.now() + PATIENCE; active > 0 && performance.now() < until;) await sleep(10)
    },
    forget: () => Object.assign(line, { blobGets: 0, blobBytes: 0 }),
  }
  return line
}

function ask(upstream: string, incoming: IncomingMessage, response: ServerResponse, before: (chunk: Buffer) => Promise<void>): void {
  const onward = request(upstream, { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: incoming.headers, agent: false }, answer => {
    send(answer, response, before).catch(() => response.destroy())
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  onward.end()
}

async function send(answer: IncomingMessage, response: ServerResponse, before: (chunk: Buffer) => Promise<void>): Promise<void> {
  response.writeHead(answer.statusCode ?? 502, answer.headers)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    await before(chunk)
    if (response.destroyed) return
    if (!response.write(chunk)) await writable(response)
  }
  response.end()
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const go = (): void => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })
}
