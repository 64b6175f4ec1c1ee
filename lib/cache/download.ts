import { sleep, type Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { UpstreamFailure } from '../upstream/failure.ts'
import type { ByteRange, UpstreamBody } from '../upstream/upstream.ts'

/** One repository of one upstream that has been proven to hold the blob. */
export interface BlobSource {
  /** Equal for equal sources. */
  key: string
  get(range: ByteRange): Promise<UpstreamBody>
}

export interface Download {
  status: number
  /** Bytes of the whole blob, where upstream says so. */
  size: number | undefined
  /** From the first byte asked for to the last, however often upstream has to be asked for the rest. */
  chunks: AsyncIterable<Buffer>
  /** Hangs up at once; `chunks` throws then. */
  abort(): void
}

export interface DownloadDeps {
  clock: Clock
  log: Log
  /** Whether what came so far is the whole blob, whatever length upstream promised; asked only when upstream breaks. */
  isWhole?: () => boolean
}

/** Milliseconds to wait before each attempt to go on, since the last byte came. Then upstream is given up. */
const PATIENCE = [0, 250, 1000, 2000, 4000, 8000]

/**
 * Asks for a blob, or the part of it that is wanted, and heals what upstream cuts: by a Range request from where it broke,
 * in turn to each source. `sources` may grow meanwhile.
 * @throws UpstreamFailure where the first source does not answer; `chunks` throws it when all patience is spent
 */
export async function openDownload(sources: readonly BlobSource[], range: ByteRange, deps: DownloadDeps): Promise<Download> {
  const body = await ask(sourceAt(sources, 0), range)
  const link = new Link(body)
  return {
    status: body.status,
    size: body.size,
    chunks: heal(sources, range, link, deps),
    abort: () => link.abort(),
  }
}

/** The upstream body that a download hangs on just now; none while it waits for the next. */
class Link {
  body: UpstreamBody | undefined
  aborted = false
  #wake: () => void = () => undefined

  constructor(body: UpstreamBody) {
    this.body = body
  }

  abort(): void {
    this.aborted = true
    this.body?.stream.destroy()
    this.#wake()
  }

  /** Waits for the next body, and no longer than until it is aborted; a body that comes later is hung up. */
  async next(opening: Promise<UpstreamBody>): Promise<UpstreamBody> {
    const aborted = new Promise<never>((_, reject) => { this.#wake = () => reject(new Error('download aborted')) })
    void opening.then(late => { if (this.aborted) late.stream.destroy() }, () => undefined)
    return Promise.race([opening, aborted])
  }
}

async function* heal(sources: readonly BlobSource[], range: ByteRange, link: Link, deps: DownloadDeps): AsyncGenerator<Buffer, void, void> {
  const size = link.body?.size
  const end = range.last === undefined ? size : range.last + 1
  let position = range.first
  for (let failures = 0; ;) {
    try {
      link.body ??= await link.next(reopen(sources, failures - 1, { ...range, first: position }, size, deps))
      for await (const chunk of within(position, end, link.body)) {
        yield chunk
        position += chunk.length
        failures = 0
      }
      if (end === undefined || position >= end) return
      throw new UpstreamFailure('unreachable', `upstream ended a body after ${position} of ${end} bytes`)
    } catch (error) {
      link.body = undefined
      if (deps.isWhole?.()) return
      if (link.aborted || failures >= PATIENCE.length) throw error
      failures += 1
      deps.log.warn({ err: error, position, size, attempt: failures }, 'upstream cut a body: asking for the rest')
    }
  }
}

async function reopen(sources: readonly BlobSource[], attempt: number, range: ByteRange, size: number | undefined, deps: DownloadDeps): Promise<UpstreamBody> {
  await sleep(deps.clock, PATIENCE[attempt] ?? 0)
  const body = await ask(sourceAt(sources, attempt), range)
  if (size === undefined || body.size === undefined || body.size === size) return body
  body.stream.destroy()
  throw new UpstreamFailure('server-error', `upstream promised ${size} bytes, and now ${body.size}`)
}

/**
 * The body's chunks from a position on, and no further than to the end that was asked for: upstream that ignores the Range
 * sends all of it, and what a client gets beyond its Content-Length it takes for the next response.
 */
async function* within(position: number, end: number | undefined, body: UpstreamBody): AsyncGenerator<Buffer, void, void> {
  let at = body.start
  if (at > position) {
    body.stream.destroy()
    throw new UpstreamFailure('server-error', 'upstream sent another range than was asked for')
  }
  for await (const chunk of body.stream as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(Math.max(0, position - at), end === undefined ? undefined : Math.max(0, end - at))
    at += chunk.length
    if (wanted.length > 0) yield wanted
    // Read to its end, a body leaves its connection to the next request; the rest of one that is too long is not worth that.
    if (end !== undefined && at > end) return
  }
}

/** A server that stumbles over a Range may still give the whole. */
async function ask(source: BlobSource, range: ByteRange): Promise<UpstreamBody> {
  try {
    return await source.get(range)
  } catch (error) {
    const isWhole = range.first === 0 && range.last === undefined
    const status = (error instanceof UpstreamFailure && error.reason === 'server-error' && error.status) || 500
    if (isWhole || (status >= 500 && status !== 501)) throw error
    return source.get({ first: 0 })
  }
}

function sourceAt(sources: readonly BlobSource[], attempt: number): BlobSource {
  const source = sources[attempt % sources.length]
  if (source === undefined) throw new RangeError('a download needs a source')
  return source
}
