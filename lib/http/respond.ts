import type { OutgoingHttpHeaders } from 'node:http'
import type { BlobAnswer, BlobFacts } from '../cache/blobs.ts'
import type { Body } from '../cache/body.ts'
import type { Provenance } from '../cache/outcome.ts'
import type { ManifestAnswer } from '../cache/resolve.ts'
import type { Digest } from '../oci/digest.ts'
import { OciError } from '../oci/errors.ts'
import { cacheStatus } from './cache-status.ts'
import type { Exchange } from './exchange.ts'
import { ClientLeft, pump } from './pump.ts'
import { matchesEtag, parseRange, rangeApplies } from './range.ts'

/** Every answer says what it speaks; clients decide by it whether this is a registry at all. */
const COMMON = { 'docker-distribution-api-version': 'registry/2.0', 'x-content-type-options': 'nosniff' }

/** A push of more than this is not drained: the connection is closed instead. Bytes. */
const DRAIN_LIMIT = 1024 * 1024

export function sendPing(exchange: Exchange): void {
  send(exchange, 200, { 'content-type': 'application/json' }, Buffer.from('{}'))
}

/** A Range is ignored on manifests: they are sent whole, as RFC 9110 allows, and identity-coded whatever the client accepts. */
export function sendManifest(exchange: Exchange, answer: ManifestAnswer): void {
  const { digest, mediaType, bytes } = answer.manifest
  const headers = { ...provenanceHeaders(answer), ...contentHeaders(digest), 'content-type': mediaType }
  if (isUnchanged(exchange, digest)) return send(exchange, 304, headers)
  send(exchange, 200, headers, bytes)
}

export function sendBlobFacts(exchange: Exchange, digest: Digest, answer: BlobFacts): void {
  if (isUnchanged(exchange, digest)) return send(exchange, 304, blobHeaders(digest, answer))
  const { status, headers } = blobHead(exchange, digest, answer)
  send(exchange, status, headers)
}

export async function sendBlob(exchange: Exchange, digest: Digest, answer: BlobAnswer): Promise<void> {
  if (isUnchanged(exchange, digest)) return send(exchange, 304, blobHeaders(digest, answer))
  const { status, headers, start, end } = blobHead(exchange, digest, answer)
  exchange.response.writeHead(status, { ...COMMON, ...headers })
  // A client waits for a first byte; what upstream's headers said need not wait for its body.
  exchange.response.flushHeaders()
  await sendBody(exchange, answer.body(start, end), end === undefined ? undefined : end - start)
}

/** The one exit for errors. A response that has begun is destroyed, never ended: a short body must not pass for whole. */
export function sendError(exchange: Exchange, error: OciError): void {
  const { request, response, facts } = exchange
  if (response.headersSent) return void response.destroy()
  const headers: OutgoingHttpHeaders = { ...error.headers, 'content-type': 'application/json' }
  if (facts.provenance) headers['cache-status'] = cacheStatus(facts.provenance)
  if (!isDrainable(request.headers)) headers['connection'] = 'close'
  request.resume()
  send(exchange, error.status, headers, Buffer.from(error.body()))
}

function isDrainable(headers: NodeJS.Dict<string | string[]>): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= DRAIN_LIMIT
}

function send({ response, isHead, facts }: Exchange, status: number, headers: OutgoingHttpHeaders, body?: Buffer): void {
  const length = body ? { 'content-length': body.length } : {}
  response.writeHead(status, { ...COMMON, ...headers, ...length })
  if (body === undefined || isHead) return void response.end()
  facts.bytes = body.length
  response.end(body)
}

/** A client that leaves is no error; bytes that do not come are, and cost the connection. */
async function sendBody({ response, facts }: Exchange, body: Body, length: number | undefined): Promise<void> {
  try {
    const sent = await pump(body, response, length, count => { facts.bytes += count })
    if (length !== undefined && sent < length) throw new Error(`the body ended after ${sent} of ${length} bytes`)
    response.end()
  } catch (error) {
    // Noted before the response is torn down, and its log line written.
    if (!(error instanceof ClientLeft) && !response.destroyed) facts.error = error
    response.destroy()
  }
}

function isUnchanged(exchange: Exchange, digest: Digest): boolean {
  return matchesEtag(exchange.request.headers['if-none-match'], digest)
}

function etagOf(digest: Digest): string {
  return `"${digest}"`
}

function contentHeaders(digest: Digest): OutgoingHttpHeaders {
  return { 'docker-content-digest': digest, 'etag': etagOf(digest) }
}

function provenanceHeaders(provenance: Provenance): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'cache-status': cacheStatus(provenance) }
  if (provenance.warning !== undefined) headers['warning'] = `299 - "${provenance.warning}"`
  return headers
}

function blobHeaders(digest: Digest, provenance: Provenance): OutgoingHttpHeaders {
  return { ...provenanceHeaders(provenance), ...contentHeaders(digest), 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' }
}

interface BlobHead {
  status: 200 | 206
  headers: OutgoingHttpHeaders
  start: number
  end: number | undefined
}

/**
 * The same answer kind for the whole life of a blob, filling or filled: a 206 and then a 200 of one blob corrupt a resumed pull.
 * @throws OciError RANGE_INVALID (416)
 */
function blobHead({ request }: Exchange, digest: Digest, answer: BlobFacts): BlobHead {
  const { size } = answer
  const headers = blobHeaders(digest, answer)
  const asked = rangeApplies(header(request.headers['if-range']), etagOf(digest)) ? request.headers.range : undefined
  const range = parseRange(asked, size)
  const whole = size === undefined ? {} : { 'content-length': size }
  if (range.kind === 'whole') return { status: 200, headers: { ...headers, ...whole }, start: 0, end: size }
  const total = String(size)
  if (range.kind === 'unsatisfiable') {
    throw new OciError('RANGE_INVALID', `the range asked for is not within the blob's ${total} bytes`, {
      headers: { 'content-range': `bytes */${total}`, 'accept-ranges': 'bytes', 'docker-content-digest': digest },
    })
  }
  const { start, end } = range
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${total}`, 'content-length': end - start }, start, end }
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
