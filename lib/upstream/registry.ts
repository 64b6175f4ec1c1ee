import { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import type { EndpointConfig } from '../config/config.ts'
import type { Log } from '../log.ts'
import { asDigest, type Digest } from '../oci/digest.ts'
import { ACCEPT_MANIFESTS } from '../oci/media-types.ts'
import { isDigest, type Reference, type RepositoryName } from '../oci/reference.ts'
import { Authenticator } from './authenticator.ts'
import { discard, hangUp, readCapped } from './body.ts'
import { Client, type Answer, type Ask } from './client.ts'
import { parseContentRange, parseLength, parseUnsatisfiedRange } from './content-range.ts'
import type { Environment } from './dispatcher.ts'
import { UpstreamFailure } from './failure.ts'
import { Gate } from './gate.ts'
import { KINDS, type Kind } from './kinds.ts'
import { guardedSend, ping } from './origin.ts'
import { scopeAt } from './scope.ts'
import { socketFailure } from './socket-failure.ts'
import { retryAfterSeconds, statusFailure, type Chance } from './status.ts'
import { createTransport, headerOf } from './transport.ts'
import type { BlobHead, ByteRange, ManifestHead, Upstream, UpstreamBody, UpstreamManifest } from './upstream.ts'

/** Bytes of the largest manifest that is taken into memory. */
export const MANIFEST_CAP = 16 * 1024 * 1024

export interface UpstreamDeps {
  clock: Clock
  log: Log
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; default: the process's. */
  env?: Environment
  /** 0 to 1, for jitter; default: Math.random. */
  random?: () => number
}

// A registry may refuse HEAD and give the same by GET: the redirect was signed for GET, or HEAD is not built.
const HEAD_UNUSABLE = new Set([401, 403, 405, 501])

/** An endpoint's registry, ready to be asked. Nothing is sent before the first request. @throws TypeError where a proxy's URL is none */
export function createUpstream(name: string, endpoint: EndpointConfig, deps: UpstreamDeps): Upstream & { close(): Promise<void> } {
  const { clock, log, env = process.env, random = Math.random } = deps
  const chance: Chance = { now: () => clock.now(), random }
  const base = new URL(endpoint.url)
  const transport = createTransport(endpoint, env)
  const gate = new Gate({ name, clock, log, random, probe: () => ping(transport.send, endpoint.url) })
  const send = guardedSend(transport.send, base.origin, gate, chance)
  const authenticator = new Authenticator({ endpoint, name, clock, log, send })
  const client = new Client(send, authenticator, base)
  const registry = new Registry(name, endpoint, { clock, gate, authenticator, client, chance })
  return Object.assign(registry, {
    async close() {
      gate.close()
      await transport.close()
    },
  })
}

interface Parts {
  clock: Clock
  gate: Gate
  authenticator: Authenticator
  client: Client
  chance: Chance
}

class Registry implements Upstream {
  readonly name: string
  readonly identity: string
  readonly #base: URL
  readonly #kind: Kind
  /** Milliseconds for a manifest's body: everybody who pulls the tag waits for it, and a drip would hold them for ever. */
  readonly #manifestDeadline: number
  readonly #parts: Parts

  constructor(name: string, endpoint: EndpointConfig, parts: Parts) {
    this.name = name
    this.identity = endpoint.url
    this.#base = new URL(endpoint.url)
    this.#kind = KINDS[endpoint.type]
    this.#manifestDeadline = endpoint.timeouts.response + endpoint.timeouts.idle
    this.#parts = parts
  }

  canonicalName(repository: RepositoryName): RepositoryName {
    return this.#kind.canonicalName(repository)
  }

  async headManifest(repository: RepositoryName, reference: Reference): Promise<ManifestHead> {
    const answer = await this.#ask(repository, manifest('HEAD', reference), false)
    discard(answer.body)
    if (HEAD_UNUSABLE.has(answer.status)) return { status: answer.status }
    if (answer.status !== 200) throw this.#failure(answer)
    const digest = asDigest(headerOf(answer.headers, 'docker-content-digest'))
    return { status: 200, ...(digest && { digest }) }
  }

  async getManifest(repository: RepositoryName, reference: Reference): Promise<UpstreamManifest> {
    const answer = await this.#ask(repository, manifest('GET', reference), true)
    if (answer.status !== 200) throw this.#drained(answer)
    const bytes = await readManifestBody(answer, this.#parts.clock, this.#manifestDeadline)
    const contentType = headerOf(answer.headers, 'content-type')
    const declaredDigest = asDigest(headerOf(answer.headers, 'docker-content-digest'))
    return { status: 200, bytes, ...(contentType !== undefined && { contentType }), ...(declaredDigest && { declaredDigest }) }
  }

  async headBlob(repository: RepositoryName, digest: Digest): Promise<BlobHead> {
    const answer = await this.#ask(repository, blob('HEAD', digest), true)
    discard(answer.body)
    if (HEAD_UNUSABLE.has(answer.status)) return this.#headBlobByGet(repository, digest)
    if (answer.status !== 200) throw this.#failure(answer)
    return { status: 200, ...sizeIf(parseLength(headerOf(answer.headers, 'content-length'))) }
  }

  async getBlob(repository: RepositoryName, digest: Digest, range: ByteRange): Promise<UpstreamBody> {
    const answer = await this.#ask(repository, blob('GET', digest, range), true)
    switch (answer.status) {
      case 200: return { status: 200, start: 0, ...sizeIf(parseLength(headerOf(answer.headers, 'content-length'))), stream: answer.body }
      case 206: return partial(answer, range)
      case 416: return unsatisfied(answer, range)
      default: throw this.#drained(answer)
    }
  }

  /** One byte tells as much as HEAD. A registry that ignores ranges sends the whole blob: it is hung up. */
  async #headBlobByGet(repository: RepositoryName, digest: Digest): Promise<BlobHead> {
    const { status, size, stream } = await this.getBlob(repository, digest, { first: 0, last: 0 })
    if (status === 200) hangUp(stream)
    else discard(stream)
    return { status, ...sizeIf(size) }
  }

  async #ask(repository: RepositoryName, what: What, patient: boolean): Promise<Answer> {
    await this.#parts.gate.pass(patient)
    const name = this.canonicalName(repository)
    const { path, ...rest } = what
    return this.#parts.client.ask({
      ...rest,
      url: new URL(`${this.identity}/v2/${name}/${path}`),
      scope: url => scopeAt(url, this.#base, name, this.#kind),
    })
  }

  #drained(answer: Answer): UpstreamFailure {
    discard(answer.body)
    return this.#failure(answer)
  }

  #failure({ status, headers, url }: Answer): UpstreamFailure {
    const { authenticator, chance } = this.#parts
    const retryAfter = headerOf(headers, 'retry-after')
    const failure = statusFailure(url.host, status, retryAfter === undefined ? undefined : retryAfterSeconds(retryAfter, chance))
    if (failure.reason === 'denied') authenticator.denied(url.origin, failure)
    return failure
  }
}

type What = Pick<Ask, 'method' | 'headers' | 'target'> & { path: string }

function manifest(method: What['method'], reference: Reference): What {
  return { method, path: `manifests/${reference}`, headers: { accept: ACCEPT_MANIFESTS }, target: isDigest(reference) ? 'manifest' : 'tag' }
}

function blob(method: What['method'], digest: Digest, range: ByteRange = { first: 0 }): What {
  const ranged = range.first > 0 || range.last !== undefined
  return { method, path: `blobs/${digest}`, headers: ranged ? { range: `bytes=${range.first}-${range.last ?? ''}` } : {}, target: 'blob' }
}

async function readManifestBody({ url, status, headers, body }: Answer, clock: Clock, deadline: number): Promise<Buffer> {
  const refused = (why: string): UpstreamFailure => new UpstreamFailure('server-error', `${url.host} answers with a manifest ${why}`, { status })
  const tooLarge = `of more than ${MANIFEST_CAP / 2 ** 20} MiB, the cap for manifests`
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? ''
  const objection = !['', 'identity'].includes(encoding) ? `encoded as ${encoding.slice(0, 20)}, although none was asked for`
    : (parseLength(headerOf(headers, 'content-length')) ?? 0) > MANIFEST_CAP ? tooLarge : undefined
  if (objection !== undefined) {
    hangUp(body)
    throw refused(objection)
  }
  const late = new UpstreamFailure('timeout', `${url.host} sends a manifest too slowly`, { status })
  const cancel = clock.after(deadline, () => body.destroy(late))
  try {
    const bytes = await readCapped(body, MANIFEST_CAP)
    if (bytes === undefined) throw refused(tooLarge)
    return bytes
  } catch (error) {
    throw error instanceof UpstreamFailure ? error : socketFailure(error, url)
  } finally {
    cancel()
  }
}

function partial({ url, headers, body }: Answer, { first }: ByteRange): UpstreamBody {
  const range = parseContentRange(headerOf(headers, 'content-range'))
  if (range?.first === first) return { status: 206, start: first, ...sizeIf(range.size), stream: body }
  hangUp(body)
  throw new UpstreamFailure('server-error', `${url.host} answers with another range than was asked for`, { status: 206 })
}

function unsatisfied({ headers, body }: Answer, { first }: ByteRange): UpstreamBody {
  discard(body)
  return { status: 416, start: first, ...sizeIf(parseUnsatisfiedRange(headerOf(headers, 'content-range'))), stream: Readable.from([]) }
}

function sizeIf(size: number | undefined): { size?: number } {
  return size === undefined ? {} : { size }
}
