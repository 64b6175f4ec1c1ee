import { createHash, type Hash } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface Fetched {
  bytes: number
  /** Milliseconds from the request to the first byte of the body. */
  firstByte: number
  /** Hex, where it was wanted. */
  sha256: string | undefined
}

/** One for all connections of the process: nothing of it is kept. */
const BUFFER = Buffer.allocUnsafe(256 * 1024)
const HEAD_END = Buffer.from('\r\n\r\n')
/** Milliseconds without a byte. */
const IDLE = 60_000

/** GETs one URL over one connection. Not http.request, which is slower than the servers that are measured with it. */
export class Client {
  readonly #url: URL
  readonly #socket: Socket
  #answer: Answer | undefined

  constructor(url: string) {
    this.#url = new URL(url)
    const { hostname, port } = this.#url
    this.#socket = connect({
      host: hostname, port: Number(port), noDelay: true,
      onread: { buffer: BUFFER, callback: length => this.#take(BUFFER.subarray(0, length)) },
    })
    this.#socket.setTimeout(IDLE, () => this.#fail('no byte for a minute'))
    this.#socket.on('error', error => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('connection closed'))
  }

  /** @throws unless it is a 200 of a known length that comes whole */
  get(check: boolean): Promise<Fetched> {
    const { host, pathname } = this.#url
    return new Promise((resolve, reject) => {
      this.#answer = new Answer(check, resolve, reject)
      this.#socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: entrepot-bench\r\n\r\n`)
    })
  }

  close(): void {
    this.#answer = undefined
    this.#socket.destroy()
  }

  #take(bytes: Buffer): boolean {
    try {
      this.#answer?.take(bytes)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
    return true
  }

  #fail(why: string): void {
    this.#answer?.reject(new Error(`GET ${this.#url.href}: ${why}`))
    this.close()
  }
}

class Answer {
  readonly reject: (error: Error) => void
  readonly #resolve: (fetched: Fetched) => void
  readonly #hash: Hash | undefined
  readonly #asked = performance.now()
  #head = Buffer.alloc(0)
  #length: number | undefined
  #bytes = 0
  #firstByte = NaN

  constructor(check: boolean, resolve: (fetched: Fetched) => void, reject: (error: Error) => void) {
    this.#hash = check ? createHash('sha256') : undefined
    this.#resolve = resolve
    this.reject = reject
  }

  take(bytes: Buffer): void {
    const body = this.#length === undefined ? this.#takeHead(bytes) : bytes
    if (this.#length === undefined || body.length === 0) return
    if (this.#bytes === 0) this.#firstByte = performance.now() - this.#asked
    this.#bytes += body.length
    this.#hash?.update(body)
    if (this.#bytes > this.#length) throw new Error(`more than the ${this.#length} bytes that were promised`)
    if (this.#bytes === this.#length) this.#resolve({ bytes: this.#bytes, firstByte: this.#firstByte, sha256: this.#hash?.digest('hex') })
  }

  /** @returns what of the bytes is body */
  #takeHead(bytes: Buffer): Buffer {
    this.#head = Buffer.concat([this.#head, bytes])
    const end = this.#head.indexOf(HEAD_END)
    if (end < 0) return Buffer.alloc(0)
    const head = this.#head.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head)
    this.#length = Number(/^content-length: (\d+)$/im.exec(head)?.[1])
    if (Number.isNaN(this.#length)) throw new Error(`no length:\n${head}`)
    return this.#head.subarray(end + HEAD_END.length)
  }
}
