import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { hasherFor, type Digest } from '../oci/digest.ts'
import type { BlobStore, StoredBlob } from '../store/blob-store.ts'
import { errorCode } from '../store/durable.ts'
import type { Repositories } from '../store/repositories.ts'
import type { BlobHead, ByteRange } from '../upstream/upstream.ts'
import { downloadBody, laterBody, storedBody, type Body } from './body.ts'
import { openDownload, type BlobSource, type Download } from './download.ts'
import { Fill } from './fill.ts'
import { FillBody } from './fill-body.ts'
import type { Fills } from './fills.ts'
import type { Negatives } from './negatives.ts'
import type { Outcome, Provenance } from './outcome.ts'
import { keyOf, type Target } from './project.ts'
import { SingleFlight } from './single-flight.ts'

/** A blob that this repository has, with what it takes to send it. Always close it. */
export interface BlobAnswer extends Provenance {
  /** Bytes; absent while upstream has not said how many there are. */
  size?: number
  /** @param end exclusive; absent only where the size is */
  body(start: number, end?: number): Body
  close(): Promise<void>
}

/** What HEAD is told. */
export type BlobFacts = Provenance & Pick<BlobAnswer, 'size'>

export interface BlobsDeps {
  store: BlobStore
  repositories: Repositories
  fills: Fills
  negatives: Negatives
  clock: Clock
  log: Log
}

/**
 * Blobs as repositories see them. Content is stored once for all, but given only where the repository is proven to have
 * it: a manifest of its names it, or upstream answered for it there.
 */
export class Blobs {
  readonly #deps: BlobsDeps
  readonly #heads = new SingleFlight<BlobHead>()

  constructor(deps: BlobsDeps) {
    this.#deps = deps
  }

  /** @throws UpstreamFailure */
  async open(target: Target, digest: Digest): Promise<BlobAnswer> {
    for (;;) {
      const stored = await this.#stored(digest)
      const answer = stored ? await this.#fromStore(target, digest, stored) : await this.#fromFill(target, digest)
      if (answer) return answer
    }
  }

  /** As `open`, for a client that wants no bytes: nothing is filled for it. @throws UpstreamFailure */
  async head(target: Target, digest: Digest): Promise<BlobFacts> {
    const stored = await this.#stored(digest)
    if (stored) {
      const answer = await this.#fromStore(target, digest, stored)
      await answer.close()
      return answer
    }
    const running = await this.#deps.fills.find(digest)?.catch(() => undefined)
    if (running instanceof Fill && await this.#isKnown(target, digest)) {
      const provenance: Provenance = running.state === 'verified' ? { outcome: 'hit' } : { outcome: 'miss', collapsed: true }
      return { ...provenance, ...sized(running.size) }
    }
    const { head, collapsed } = await this.#ask(target, digest)
    return { outcome: 'miss', collapsed, upstreamStatus: head.status, ...sized(head.size) }
  }

  async #stored(digest: Digest): Promise<StoredBlob | undefined> {
    try {
      return await this.#deps.store.open(digest)
    } catch (error) {
      this.#deps.log.error({ err: error, code: errorCode(error), digest }, 'blob cannot be read: it is fetched again')
      return undefined
    }
  }

  async #fromStore(target: Target, digest: Digest, stored: StoredBlob): Promise<BlobAnswer> {
    try {
      const proof = await this.#prove(target, digest)
      return { ...proof, size: stored.size, body: (start, end = stored.size) => storedBody(stored, start, end), close: () => stored.close() }
    } catch (error) {
      await stored.close()
      throw error
    }
  }

  /** @returns undefined when a fill has just ended: look again */
  async #fromFill(target: Target, digest: Digest): Promise<BlobAnswer | undefined> {
    const source = sourceOf(target, digest)
    const { opened, isNew } = await this.#deps.negatives.guard(blobKey(target, digest), () => this.#join(digest, source))
    if (opened === 'stored') return undefined
    if (opened === 'unwritable') return this.#passThrough(target, digest, source)
    return this.#follow(target, opened, source, isNew)
  }

  /** Another repository's failure is not ours: then we begin the fill ourselves. */
  async #join(digest: Digest, source: BlobSource): Promise<{ opened: Fill | 'stored' | 'unwritable'; isNew: boolean }> {
    for (;;) {
      const { opening, source: leader, isNew } = this.#deps.fills.join(digest, source)
      try {
        return { opened: await opening, isNew }
      } catch (error) {
        if (leader.key === source.key) throw error
      }
    }
  }

  async #follow(target: Target, fill: Fill, source: BlobSource, isNew: boolean): Promise<BlobAnswer | undefined> {
    const release = fill.acquire()
    if (release === undefined) return undefined
    // Upstream's answer is the proof; the client's first byte need not wait until it is on disk.
    const linking = fill.isProvenBy(source) ? this.#link(target, fill.digest) : undefined
    try {
      const provenance = await this.#provenanceOf(target, fill, source, isNew)
      fill.addSource(source)
      const { clock, log } = this.#deps
      const openRest = (range: ByteRange): Promise<Download> => openDownload([source], range, { clock, log })
      return {
        ...provenance,
        ...sized(fill.size),
        body: (start, end) => new FillBody(fill, start, end, { clock, openRest }),
        async close() {
          release()
          await linking
        },
      }
    } catch (error) {
      release()
      throw error
    }
  }

  async #provenanceOf(target: Target, fill: Fill, source: BlobSource, isNew: boolean): Promise<Provenance> {
    const proof = fill.isProvenBy(source) ? undefined : await this.#prove(target, fill.digest)
    // All there, and only the disk still to be waited for.
    if (fill.state === 'verified' && !isNew) return proof ?? { outcome: 'hit' }
    const { upstreamStatus } = fill
    return { outcome: 'miss', collapsed: !isNew, stored: true, ...(upstreamStatus === undefined ? {} : { upstreamStatus }) }
  }

  /** The disk refuses: the blob goes from upstream to the client, checked on its way. */
  async #passThrough(target: Target, digest: Digest, source: BlobSource): Promise<BlobAnswer> {
    const whole = await openDownload([source], { first: 0 }, this.#deps)
    await this.#link(target, digest)
    const { size } = whole
    return {
      outcome: 'miss',
      upstreamStatus: whole.status,
      ...sized(size),
      body: (start, end) => {
        if (start === 0 && end === size) return downloadBody(whole, { digest, hash: hasherFor(digest) })
        whole.abort()
        return laterBody(() => openDownload([source], { first: start, ...(end === undefined ? {} : { last: end - 1 }) }, this.#deps))
      },
      close: () => Promise.resolve(whole.abort()),
    }
  }

  /** @throws UpstreamFailure where upstream does not answer for the blob in this repository */
  async #prove(target: Target, digest: Digest): Promise<{ outcome: Outcome; collapsed?: boolean; upstreamStatus?: number }> {
    if (await this.#isKnown(target, digest)) return { outcome: 'hit' }
    const { head, collapsed } = await this.#ask(target, digest)
    return { outcome: 'revalidated', collapsed, upstreamStatus: head.status }
  }

  #isKnown(target: Target, digest: Digest): Promise<boolean> {
    return this.#deps.repositories.holdsBlob(keyOf(target), digest)
  }

  async #ask(target: Target, digest: Digest): Promise<{ head: BlobHead; collapsed: boolean }> {
    const key = blobKey(target, digest)
    const { value, collapsed } = await this.#heads.run(key, () =>
      this.#deps.negatives.guard(key, () => target.project.upstream.headBlob(target.repository, digest)))
    await this.#link(target, digest)
    return { head: value, collapsed }
  }

  async #link(target: Target, digest: Digest): Promise<void> {
    try {
      if (await this.#isKnown(target, digest)) return
      await this.#deps.repositories.addBlobs(keyOf(target), [digest])
    } catch (error) {
      this.#deps.log.warn({ err: error, code: errorCode(error), digest }, 'proof of a blob could not be stored: upstream is asked again next time')
    }
  }
}

function blobKey(target: Target, digest: Digest): string {
  return `${target.project.name}/${target.repository}@${digest}`
}

function sourceOf({ project, repository }: Target, digest: Digest): BlobSource {
  return {
    // By endpoint, not by URL: what upstream shows to one endpoint's credentials is no proof for another's.
    key: `${project.upstream.name} ${repository}`,
    get: range => project.upstream.getBlob(repository, digest, range),
  }
}

function sized(size: number | undefined): { size?: number } {
  return size === undefined ? {} : { size }
}
