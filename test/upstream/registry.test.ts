import { gzipSync } from 'node:zlib'
import t from 'tap'
import { ACCEPT_MANIFESTS } from '../../lib/oci/media-types.ts'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { MANIFEST_CAP } from '../../lib/upstream/registry.ts'
import { VERSION } from '../../lib/version.ts'
import { BLOB, BLOB_DIGEST, endpoint, failureOf, harness, MANIFEST, MANIFEST_DIGEST, readAll, REPOSITORY, scripted, TAG, until, type Reply, type Script } from './support.ts'

const TYPE = 'application/vnd.oci.image.manifest.v1+json'
const manifestReply: Reply = { status: 200, headers: { 'content-type': `${TYPE}; charset=utf-8`, 'docker-content-digest': MANIFEST_DIGEST, 'content-length': String(MANIFEST.length) }, body: MANIFEST }

const rangedBlob: Script = ({ headers }) => {
  const [, first, last] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? []
  if (first === undefined) return { status: 200, headers: { 'content-length': String(BLOB.length) }, body: BLOB }
  if (Number(first) >= BLOB.length) return { status: 416, headers: { 'content-range': `bytes */${BLOB.length}` }, body: 'no' }
  const end = last === '' || last === undefined ? BLOB.length - 1 : Math.min(Number(last), BLOB.length - 1)
  return { status: 206, headers: { 'content-range': `bytes ${first}-${end}/${BLOB.length}` }, body: BLOB.subarray(Number(first), end + 1) }
}

t.test('the head of a manifest', async t => {
  const server = await scripted(t, () => manifestReply)
  const { upstream } = harness(t, endpoint(server.url))
  t.same(await upstream.headManifest(REPOSITORY, TAG), { status: 200, digest: MANIFEST_DIGEST })
  t.match(server.requests, [{ method: 'HEAD', path: '/v2/team/app/manifests/latest', headers: {
    accept: ACCEPT_MANIFESTS, 'accept-encoding': 'identity', 'user-agent': `entrepot/${VERSION}` } }])
  t.equal(server.requests[0]?.headers.authorization, undefined)
})

for (const digest of [undefined, 'sha256:abc', 'md5:00', 'x']) {
  t.test(`a head with the digest ${digest} is of no use`, async t => {
    const server = await scripted(t, () => ({ status: 200, ...(digest && { headers: { 'docker-content-digest': digest } }) }))
    t.same(await harness(t, endpoint(server.url)).upstream.headManifest(REPOSITORY, TAG), { status: 200 })
  })
}

for (const status of [401, 403, 405, 501]) {
  t.test(`HEAD answered ${status} leaves it to GET`, async t => {
    const server = await scripted(t, ({ method }) => method === 'HEAD' ? { status } : manifestReply)
    const { upstream, log } = harness(t, endpoint(server.url))
    t.same(await upstream.headManifest(REPOSITORY, TAG), { status })
    t.ok((await upstream.getManifest(REPOSITORY, TAG)).bytes.equals(MANIFEST))
    t.same(log.lines, [])
  })
}

t.test('403 on a redirected HEAD leaves it to GET (GitLab)', async t => {
  const server = await scripted(t, ({ path, method }) => {
    if (path.startsWith('/v2/')) return { status: 307, headers: { location: '/signed-for-get' } }
    return method === 'HEAD' ? { status: 403 } : { status: 200, headers: { 'content-length': '10' }, body: BLOB }
  })
  const { upstream } = harness(t, endpoint(server.url))
  t.same(await upstream.headManifest(REPOSITORY, TAG), { status: 403 })
  t.same(await upstream.headBlob(REPOSITORY, BLOB_DIGEST), { status: 200, size: 10 })
})

t.test('a manifest by tag and by digest: the bytes, the type as sent, the digest as a hint', async t => {
  const server = await scripted(t, () => manifestReply)
  const { upstream } = harness(t, endpoint(server.url))
  for (const reference of [TAG, MANIFEST_DIGEST]) {
    const manifest = await upstream.getManifest(REPOSITORY, reference)
    t.ok(manifest.bytes.equals(MANIFEST))
    t.match(manifest, { status: 200, contentType: `${TYPE}; charset=utf-8`, declaredDigest: MANIFEST_DIGEST })
  }
  t.same(server.lines(), ['GET /v2/team/app/manifests/latest', `GET /v2/team/app/manifests/${MANIFEST_DIGEST}`])
  t.match(server.requests[0]?.headers, { accept: ACCEPT_MANIFESTS })
})

t.test('a manifest without headers', async t => {
  const server = await scripted(t, () => ({ status: 200, body: MANIFEST }))
  const { bytes, ...rest } = await harness(t, endpoint(server.url)).upstream.getManifest(REPOSITORY, TAG)
  t.ok(bytes.equals(MANIFEST))
  t.same(rest, { status: 200 })
})

t.test('a manifest at the cap is taken, above it refused, early where Content-Length tells', async t => {
  const sizes = [MANIFEST_CAP, MANIFEST_CAP + 1]
  const server = await scripted(t, (_, count) => ({ status: 200, body: Buffer.alloc(sizes[count - 1] ?? 0), headers: { 'transfer-encoding': 'chunked' } }))
  const { upstream } = harness(t, endpoint(server.url))
  t.equal((await upstream.getManifest(REPOSITORY, TAG)).bytes.length, MANIFEST_CAP)
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'server-error', message: /16 MiB, the cap/ })
  const promising = await scripted(t, () => ({ status: 200, headers: { 'content-length': String(MANIFEST_CAP + 1) }, body: 'x' }))
  const other = harness(t, endpoint(promising.url)).upstream
  t.match(await failureOf(other.getManifest(REPOSITORY, TAG)), { reason: 'server-error', message: /the cap/ })
})

t.test('gzip although identity was asked is refused', async t => {
  const server = await scripted(t, () => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(MANIFEST) }))
  t.match(await failureOf(harness(t, endpoint(server.url)).upstream.getManifest(REPOSITORY, TAG)), { reason: 'server-error', message: /gzip/ })
})

t.test('a manifest that breaks off is no manifest', async t => {
  const server = await scripted(t, () => ({ status: 200, headers: { 'content-length': '100' }, body: 'x', cut: true }))
  const { upstream, log } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'unreachable' })
  t.same(log.lines, [], 'upstream is there, so the breaker stays closed')
})

const STATUSES: [number, string][] = [[401, 'denied'], [403, 'denied'], [404, 'not-found'], [410, 'not-found'], [408, 'timeout'], [504, 'timeout'],
  [500, 'server-error'], [502, 'server-error'], [503, 'server-error'], [400, 'server-error'], [204, 'server-error'], [206, 'server-error'], [304, 'server-error'], [302, 'server-error']]
for (const [status, reason] of STATUSES) {
  t.test(`HTTP ${status} means ${reason}, to all four`, async t => {
    const server = await scripted(t, () => ({ status, ...(status === 503 && { headers: { 'retry-after': '9' } }) }))
    const { upstream } = harness(t, endpoint(server.url))
    const expected = { reason, status, message: /127\.0\.0\.1/, retryAfter: status === 503 ? 9 : undefined }
    t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), expected)
    t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })), expected)
    t.match(await failureOf(upstream.headBlob(REPOSITORY, BLOB_DIGEST)), expected)
    if (reason !== 'denied') t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), expected)
  })
}

t.test('a whole blob, without a Range header', async t => {
  const server = await scripted(t, rangedBlob)
  const { stream, ...rest } = await harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })
  t.same(rest, { status: 200, start: 0, size: 10 })
  t.equal(await readAll(stream), '0123456789')
  t.match(server.requests, [{ path: `/v2/team/app/blobs/${BLOB_DIGEST}`, headers: { 'accept-encoding': 'identity' } }])
  t.equal(server.requests[0]?.headers.range, undefined)
})

t.test('ranges', async t => {
  const server = await scripted(t, rangedBlob)
  const { upstream } = harness(t, endpoint(server.url))
  const tail = await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 4 })
  t.match(tail, { status: 206, start: 4, size: 10 })
  t.equal(await readAll(tail.stream), '456789')
  const middle = await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0, last: 2 })
  t.match(middle, { status: 206, start: 0, size: 10 })
  t.equal(await readAll(middle.stream), '012')
  const past = await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 10 })
  t.match(past, { status: 416, start: 10, size: 10 })
  t.equal(await readAll(past.stream), '')
  t.same(server.requests.map(({ headers }) => headers.range), ['bytes=4-', 'bytes=0-2', 'bytes=10-'])
})

t.test('a registry that ignores ranges starts at 0', async t => {
  const server = await scripted(t, () => ({ status: 200, body: BLOB }))
  const { stream, ...rest } = await harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 4 })
  t.match(rest, { status: 200, start: 0 })
  t.equal(await readAll(stream), '0123456789')
})

for (const range of ['bytes 0-9/10', 'bytes 5-9/10', 'items 4-9/10', undefined]) {
  t.test(`206 with Content-Range ${range} to bytes=4- would corrupt`, async t => {
    const server = await scripted(t, () => ({ status: 206, ...(range && { headers: { 'content-range': range } }), body: BLOB }))
    t.match(await failureOf(harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 4 })), { reason: 'server-error', status: 206, message: /range/ })
  })
}

t.test('a size of */ is none', async t => {
  const server = await scripted(t, () => ({ status: 206, headers: { 'content-range': 'bytes 4-9/*' }, body: '456789' }))
  const { stream, ...rest } = await harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 4 })
  t.same(rest, { status: 206, start: 4 })
  await readAll(stream)
})

t.test('a blob of unknown length', async t => {
  const server = await scripted(t, () => ({ status: 200, headers: { 'transfer-encoding': 'chunked' }, body: BLOB }))
  const { stream, ...rest } = await harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })
  t.same(rest, { status: 200, start: 0 })
  t.equal(await readAll(stream), '0123456789')
})

for (const headers of [{ 'content-length': '100' }, { 'transfer-encoding': 'chunked' }]) {
  t.test(`a blob that is cut errors, and is not asked again here (${Object.keys(headers)})`, async t => {
    const server = await scripted(t, () => ({ status: 200, headers, body: BLOB, cut: true }))
    const { upstream } = harness(t, endpoint(server.url))
    await t.rejects(readAll((await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })).stream))
    t.equal(server.requests.length, 1)
  })
}

t.test('the head of a blob', async t => {
  const server = await scripted(t, rangedBlob)
  t.same(await harness(t, endpoint(server.url)).upstream.headBlob(REPOSITORY, BLOB_DIGEST), { status: 200, size: 10 })
  t.same(server.lines(), [`HEAD /v2/team/app/blobs/${BLOB_DIGEST}`])
})

for (const status of [401, 403, 405, 501]) {
  t.test(`HEAD of a blob answered ${status}: one byte tells`, async t => {
    const server = await scripted(t, (seen, count) => seen.method === 'HEAD' ? { status } : rangedBlob(seen, count))
    t.same(await harness(t, endpoint(server.url)).upstream.headBlob(REPOSITORY, BLOB_DIGEST), { status: 206, size: 10 })
    t.equal(server.requests[1]?.headers.range, 'bytes=0-0')
  })
}

t.test('HEAD refused and ranges ignored: hung up, not downloaded', async t => {
  const server = await scripted(t, ({ method }) => method === 'HEAD' ? { status: 405 } : { status: 200, headers: { 'content-length': '1000000000' }, body: BLOB })
  const { upstream } = harness(t, endpoint(server.url, { timeouts: { connect: 2000, response: 2000, idle: 60_000 } }))
  t.same(await upstream.headBlob(REPOSITORY, BLOB_DIGEST), { status: 200, size: 1_000_000_000 })
  await until(() => server.open() < server.connections())
})

t.test('HEAD refused for an empty blob', async t => {
  const server = await scripted(t, ({ method }) => method === 'HEAD' ? { status: 405 } : { status: 416, headers: { 'content-range': 'bytes */0' } })
  t.match(await harness(t, endpoint(server.url)).upstream.headBlob(REPOSITORY, BLOB_DIGEST), { size: 0 })
})

t.test('HEAD refused because it is denied: GET decides', async t => {
  const server = await scripted(t, () => ({ status: 403 }))
  t.match(await failureOf(harness(t, endpoint(server.url)).upstream.headBlob(REPOSITORY, BLOB_DIGEST)), { reason: 'denied', status: 403 })
})

t.test('docker-hub: single names are official images', async t => {
  const server = await scripted(t, () => manifestReply)
  const { upstream } = harness(t, endpoint(server.url, { type: 'docker-hub' }))
  const alpine = parseRepositoryName('alpine')
  t.equal(upstream.canonicalName(alpine), 'library/alpine')
  await upstream.headManifest(alpine, TAG)
  t.same(server.lines(), ['HEAD /v2/library/alpine/manifests/latest'])
})

t.test('an endpoint with a path', async t => {
  const server = await scripted(t, () => manifestReply)
  const { upstream } = harness(t, endpoint(`${server.url}/hub`))
  t.match(upstream, { name: 'corp', identity: `${server.url}/hub` })
  await upstream.getManifest(REPOSITORY, TAG)
  t.same(server.lines(), ['GET /hub/v2/team/app/manifests/latest'])
})
