import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { digestOf, digestParts, type Digest } from '../oci/digest.ts'
import { readManifest } from '../oci/manifest.ts'
import { isSchema1 } from '../oci/media-types.ts'
import { isDigest, type Reference, type Tag } from '../oci/reference.ts'
import { errorCode } from '../store/durable.ts'
import type { Repositories, TagRecord } from '../store/repositories.ts'
import { UpstreamFailure } from '../upstream/failure.ts'
import type { UpstreamManifest } from '../upstream/upstream.ts'
import { isTrusted, maySubstitute, staleWarning } from './freshness.ts'
import type { Manifest, ManifestCopies } from './manifest-copies.ts'
import type { Negatives } from './negatives.ts'
import type { Provenance } from './outcome.ts'
import { keyOf, type Target } from './project.ts'
import { SingleFlight } from './single-flight.ts'

export interface ManifestAnswer extends Provenance {
  manifest: Manifest
}

export interface ResolveDeps {
  repositories: Repositories
  copies: ManifestCopies
  negatives: Negatives
  clock: Clock
  log: Log
}

/** A cached tag: what it meant, and the bytes that this means. */
interface Copy {
  record: TagRecord
  manifest: Manifest
}

/** From a reference to the manifest that it means now: design.md part 3, the table. */
export class Resolver {
  readonly #deps: ResolveDeps
  readonly #flights = new SingleFlight<ManifestAnswer>()

  constructor(deps: ResolveDeps) {
    this.#deps = deps
  }

  /** @throws UpstreamFailure where upstream does not give it and no copy may stand in */
  resolve(target: Target, reference: Reference): Promise<ManifestAnswer> {
    return isDigest(reference) ? this.#byDigest(target, reference) : this.#byTag(target, reference)
  }

  /** Immutable: no upstream call once it is here. */
  async #byDigest(target: Target, digest: Digest): Promise<ManifestAnswer> {
    const manifest = await this.#deps.copies.get(target, digest)
    if (manifest !== undefined) return { outcome: 'hit', manifest }
    return this.#shared(target, digest, async () => {
      const fetched = await this.#fetch(target, digest)
      return { ...fetched, outcome: 'miss' }
    })
  }

  async #byTag(target: Target, tag: Tag): Promise<ManifestAnswer> {
    const copy = await this.#copyOf(target, tag)
    if (copy && isTrusted(copy.record, target.project.policy, this.#deps.clock.now())) {
      return { outcome: 'hit', manifest: copy.manifest }
    }
    return this.#shared(target, tag, () => this.#renew(target, tag, copy))
  }

  async #renew(target: Target, tag: Tag, known: Copy | undefined): Promise<ManifestAnswer> {
    // Looked for again: the flight before this one may have just brought it.
    const copy = known ?? await this.#copyOf(target, tag)
    return copy ? this.#refresh(target, copy) : this.#first(target, tag)
  }

  async #shared(target: Target, reference: Reference, work: () => Promise<ManifestAnswer>): Promise<ManifestAnswer> {
    const { value, collapsed } = await this.#flights.run(flightKey(target, reference), work)
    return collapsed ? { ...value, collapsed } : value
  }

  async #copyOf(target: Target, tag: Tag): Promise<Copy | undefined> {
    const record = await this.#deps.repositories.tag(keyOf(target), tag)
    const manifest = record && await this.#deps.copies.get(target, record.digest)
    return manifest && { record, manifest }
  }

  async #first(target: Target, tag: Tag): Promise<ManifestAnswer> {
    const fetched = await this.#fetch(target, tag)
    await this.#confirm(target, tag, fetched.manifest.digest)
    return { ...fetched, outcome: 'miss' }
  }

  async #refresh(target: Target, copy: Copy): Promise<ManifestAnswer> {
    try {
      const current = await this.#current(target, copy)
      await this.#confirm(target, copy.record.tag, current.manifest.digest, copy.record)
      return current
    } catch (error) {
      return substitute(target, copy, error)
    }
  }

  /** HEAD tells whether the copy is current; where it does not, GET does, by the digest of its bytes. */
  async #current(target: Target, copy: Copy): Promise<ManifestAnswer> {
    const { tag, digest } = copy.record
    const head = await this.#deps.negatives.guard(flightKey(target, tag), () => target.project.upstream.headManifest(target.repository, tag))
    if (head.digest === digest) return { outcome: 'revalidated', manifest: copy.manifest, upstreamStatus: head.status }
    const known = head.digest && await this.#deps.copies.get(target, head.digest)
    if (known !== undefined) return { outcome: 'updated', manifest: known, upstreamStatus: head.status }
    const fetched = await this.#fetch(target, tag)
    return { ...fetched, outcome: fetched.manifest.digest === digest ? 'revalidated' : 'updated' }
  }

  async #fetch(target: Target, reference: Reference): Promise<Omit<ManifestAnswer, 'outcome'>> {
    const { upstream } = target.project
    const answer = await this.#deps.negatives.guard(flightKey(target, reference), () => upstream.getManifest(target.repository, reference))
    const digest = verified(answer, reference)
    const facts = readManifest(answer.bytes, answer.contentType)
    if (facts === undefined) throw new UpstreamFailure('server-error', 'upstream answered with something that is no manifest', { status: answer.status })
    const stored = await this.#deps.copies.put(target, digest, facts, answer.bytes)
    return { manifest: { digest, mediaType: facts.mediaType, bytes: answer.bytes }, stored, upstreamStatus: answer.status }
  }

  async #confirm(target: Target, tag: Tag, digest: Digest, previous?: TagRecord): Promise<void> {
    const { repositories, clock, log } = this.#deps
    try {
      await repositories.putTag(keyOf(target), { tag, digest, confirmedAt: clock.now() }, previous)
    } catch (error) {
      log.warn({ err: error, code: errorCode(error), tag }, 'tag could not be stored: it is served all the same')
    }
  }
}

function flightKey(target: Target, reference: Reference): string {
  return `${target.project.name}/${target.repository}:${reference}`
}

/** The digest by which the bytes are served and stored: the one that was asked for, or else computed. */
function verified(answer: UpstreamManifest, reference: Reference): Digest {
  const expected = isDigest(reference) ? reference : undefined
  const actual = digestOf(answer.bytes, expected && digestParts(expected).algorithm)
  if (expected === undefined ? contradicts(answer) : actual !== expected) {
    throw new UpstreamFailure('server-error', 'upstream sent a manifest that does not match its digest', { status: answer.status })
  }
  return actual
}

/** A digest that upstream declares beside the bytes of a tag is the only thing that shows them damaged. */
function contradicts({ bytes, declaredDigest, contentType }: UpstreamManifest): boolean {
  if (declaredDigest === undefined || isSchema1(contentType ?? '')) return false
  return digestOf(bytes, digestParts(declaredDigest).algorithm) !== declaredDigest
}

function substitute(target: Target, copy: Copy, error: unknown): ManifestAnswer {
  if (!(error instanceof UpstreamFailure) || !maySubstitute(error.reason, target.project.policy)) throw error
  return {
    outcome: 'stale',
    manifest: copy.manifest,
    warning: staleWarning(copy.record, error.reason, target.project.upstream.name),
    ...(error.status === undefined ? {} : { upstreamStatus: error.status }),
  }
}
