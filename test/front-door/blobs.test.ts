import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { digestOf, type Digest } from '../../lib/oci/digest.ts'
import { cacheOf, outcome, REPOSITORY } from '../support/cache.ts'
import { download, errorCode, get, head, open, raw } from '../support/http.ts'
import { artifact, image, layerDigests, randomContent } from '../support/image.ts'
import { chunked, contentLength, cut, errorReply, hold, ignoreRange, refuse, refuseHead, scriptedUpstream, slow, stall } from '../support/scripted-upstream.ts'

/** protocol.md 15 to 21. */

const upstream = await scriptedUpstream(t)
const cache = await cacheOf(t, upstream)

const BLOB = /\/blobs\//

function addBlob(name: string, size = 100_000, repository = REPOSITORY): { bytes: Buffer; digest: Digest; url: string } {
  upstream.reset()
  upstream.forget()
  const bytes = randomContent(size, name)
  const digest = upstream.addBlob(repository, bytes)
  return { bytes, digest, url: cache.url(`blobs/${digest}`, repository) }
}

/** A promise and its key. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => { open = resolve })
  return { opened, open }
}

t.test('15: 200 with Content-Length, digest, Accept-Ranges and octet-stream, filling or filled', async t => {
  const { bytes, digest, url } = addBlob('fifteen')
  const expected = {
    'content-length': String(bytes.length), 'docker-content-digest': digest, 'etag': `"${digest}"`,
    'accept-ranges': 'bytes', 'content-type': 'application/octet-stream', 'docker-distribution-api-version': 'registry/2.0',
  }
  const cold = await get(url)
  const warm = await get(url)
  t.match(cold, { status: 200, headers: { ...expected, 'cache-status': 'entrepot; fwd=miss; fwd-status=200; stored; detail=miss' } })
  t.match(warm, { status: 200, headers: { ...expected, 'cache-status': 'entrepot; hit; detail=hit' } })
  t.ok(cold.body.equals(bytes) && warm.body.equals(bytes))
  t.equal(upstream.count('GET', BLOB), 1)
})

t.test('15: headers go out as soon as upstream\'s arrive, before a byte of the body', async t => {
  const { bytes, digest, url } = addBlob('early')
  upstream.on('GET', BLOB).once(slow(1000))
  const answered = await download(url, { abortAfter: 1 })
  t.match(answered, { status: 200, headers: { 'content-length': String(bytes.length), 'docker-content-digest': digest } })
})

const SIZE = 100_000
const RANGES: [range: string, status: number, contentRange: string | undefined, from: number, to: number][] = [
  ['bytes=500-1499', 206, `bytes 500-1499/${SIZE}`, 500, 1500],
  ['bytes=500-', 206, `bytes 500-99999/${SIZE}`, 500, SIZE],
  ['bytes=-500', 206, `bytes 99500-99999/${SIZE}`, 99_500, SIZE],
  ['bytes=0-', 206, `bytes 0-99999/${SIZE}`, 0, SIZE],
  ['bytes=99000-100000', 206, `bytes 99000-99999/${SIZE}`, 99_000, SIZE],
  ['bytes=0-0', 206, `bytes 0-0/${SIZE}`, 0, 1],
  ['bytes=500-0', 416, `bytes */${SIZE}`, 0, 0],
  ['bytes=100000-', 416, `bytes */${SIZE}`, 0, 0],
  ['bytes=-0', 416, `bytes */${SIZE}`, 0, 0],
  ['bytes=0-1,5-6', 200, undefined, 0, SIZE],
  ['lines=0-1', 200, undefined, 0, SIZE],
  ['bytes=a-b', 200, undefined, 0, SIZE],
]

for (const state of ['filling', 'filled']) {
  t.test(`16: ranges while ${state}`, async t => {
    for (const [range, status, contentRange, from, to] of RANGES) {
      const { bytes, url } = addBlob(`${state} ${range}`)
      const held = gate()
      if (state === 'filled') await get(url)
      else upstream.on('GET', BLOB).once(hold(held.opened))
      const pulled = get(url, { headers: { range } })
      held.open()
      const answered = await pulled
      t.match([answered.status, answered.headers['content-range']], [status, contentRange], range)
      if (status === 416) t.equal(errorCode(answered), 'RANGE_INVALID')
      else t.ok(answered.body.equals(bytes.subarray(from, to)), `${range}: the very bytes`)
      t.equal(Number(answered.headers['content-length']), answered.body.length)
      t.equal(upstream.count('GET', BLOB), 1, `${range}: one GET upstream, for the whole`)
      t.equal(upstream.seen('GET', BLOB)[0]?.headers.range, undefined)
    }
  })
}

t.test('16: If-Range with another validator is answered with the whole', async t => {
  const { bytes, digest, url } = addBlob('if-range')
  await get(url)
  t.equal((await get(url, { headers: { 'range': 'bytes=0-9', 'if-range': '"other"' } })).body.length, bytes.length)
  t.equal((await get(url, { headers: { 'range': 'bytes=0-9', 'if-range': `"${digest}"` } })).body.length, 10)
})

t.test('11: If-None-Match, quoted, bare and weak: 304', async t => {
  const { digest, url } = addBlob('not-modified')
  await get(url)
  for (const tag of [`"${digest}"`, digest, `W/"${digest}"`, '*']) {
    const answered = await get(url, { headers: { 'if-none-match': tag } })
    t.match([answered.status, answered.body.length, answered.headers.etag], [304, 0, `"${digest}"`], tag)
  }
})

t.test('17: a reader far ahead of a slow fill gets its own range, and the fill goes on', async t => {
  const { bytes, url } = addBlob('ahead', 400_000)
  upstream.on('GET', BLOB).once(slow(100_000))
  const [whole, ahead] = await Promise.all([
    get(url),
    upstream.arrival('GET', BLOB).then(() => get(url, { headers: { range: 'bytes=390000-394999' } })),
  ])
  t.ok(ahead.body.equals(bytes.subarray(390_000, 395_000)))
  t.ok(whole.complete && whole.body.equals(bytes))
  t.strictSame(upstream.seen('GET', BLOB).map(({ headers }) => headers.range), [undefined, 'bytes=390000-394999'])
})

t.test('17: a reader far ahead that hangs up, as containerd\'s parallel fetch does, costs upstream nothing more', async t => {
  const { url } = addBlob('ahead-aborted', 20_000_000)
  upstream.on('GET', BLOB).once(slow(100_000))
  const filling = await open(url)
  for (let pull = 0; pull < 2; pull++) await download(url, { abortAfter: 100_000, headers: { range: 'bytes=10000000-' } })
  await cache.entrepot.logged(({ status, aborted }) => status === 206 && aborted === true)
  await get(url, { headers: { range: 'bytes=19000000-19000009' } })
  t.strictSame(upstream.seen('GET', BLOB).map(({ headers }) => headers.range), [undefined, 'bytes=10000000-19999999', 'bytes=10000000-19999999', 'bytes=19000000-19000009'])
  filling.destroy()
})

t.test('18: HEAD on a cold blob, by upstream\'s HEAD', async t => {
  const { bytes, digest, url } = addBlob('cold-head')
  const answered = await head(url)
  t.match(answered, { status: 200, headers: { 'content-length': String(bytes.length), 'docker-content-digest': digest, 'accept-ranges': 'bytes' } })
  t.match([upstream.count('HEAD', BLOB), upstream.count('GET', BLOB)], [1, 0])
})

t.test('18: HEAD on a cold blob, by a one-byte range where upstream refuses HEAD', async t => {
  for (const status of [403, 405] as const) {
    const { bytes, url } = addBlob(`cold-head-${status}`)
    upstream.on('HEAD', BLOB).always(refuseHead(status))
    const answered = await head(url)
    t.match([answered.status, Number(answered.headers['content-length'])], [200, bytes.length])
    t.strictSame(upstream.seen('GET', BLOB).map(({ headers }) => headers.range), ['bytes=0-0'])
  }
})

t.test('HEAD is GET without the body, warm too', async t => {
  const { url } = addBlob('head-get')
  await get(url)
  const [asHead, asGet] = [await head(url), await get(url)]
  const { date: _a, ...h } = asHead.headers
  const { date: _b, ...g } = asGet.headers
  t.strictSame(h, g)
  t.equal(asHead.body.length, 0)
})

t.test('20: no Content-Length upstream', async t => {
  const { bytes, url } = addBlob('chunked')
  upstream.on('GET', BLOB).once(chunked())
  const cold = await get(url)
  t.match([cold.status, cold.complete], [200, true])
  t.ok(cold.body.equals(bytes))
  t.equal(Number((await get(url)).headers['content-length']), bytes.length)
})

t.test('20: too large a Content-Length upstream never passes for whole, and the next pull is right', async t => {
  const impatient = await cacheOf(t, upstream, { endpoint: { timeouts: { idle: '500ms' } } })
  const { bytes, digest } = addBlob('too-long')
  upstream.on('GET', BLOB).always(contentLength(length => length + 10))
  t.notOk((await impatient.get(`blobs/${digest}`)).complete)
  const next = await impatient.get(`blobs/${digest}`)
  t.ok(next.complete && next.body.equals(bytes))
  t.equal(upstream.count('GET', BLOB), 1, 'all bytes were there, and matched')
})

t.test('20: too small a Content-Length upstream never passes for whole, and the next pull is right', async t => {
  const { bytes, url } = addBlob('too-short')
  upstream.on('GET', BLOB).times(20, contentLength(length => length - 10))
  t.notOk((await get(url)).complete)
  upstream.reset()
  const next = await get(url)
  t.ok(next.complete && next.body.equals(bytes))
})

t.test('20: the 0-byte blob and the {} blob', async t => {
  upstream.reset()
  const empty = artifact([Buffer.alloc(0)])
  upstream.push('artifacts/a', empty, 'v1')
  for (const digest of [digestOf(Buffer.alloc(0)), digestOf(Buffer.from('{}'))]) {
    const url = cache.url(`blobs/${digest}`, 'artifacts/a')
    for (const how of ['cold', 'warm']) {
      const answered = await get(url, { headers: { range: 'bytes=0-' } })
      t.ok(answered.complete, how)
      t.equal(digestOf(answered.body), digest)
      t.ok([200, 206].includes(answered.status), 'containerd 2.1 asks for bytes=0- of everything')
    }
  }
})

t.test('20: a foreign layer: the manifest is untouched, its blob is upstream\'s 404', async t => {
  upstream.reset()
  const foreign = randomContent(10, 'foreign')
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { digest: upstream.addBlob('win/x', Buffer.from('{}')), size: 2, mediaType: 'application/vnd.docker.container.image.v1+json' },
    layers: [{ digest: digestOf(foreign), size: 10, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: ['https://example.com/layer'] }],
  }))
  upstream.addManifest('win/x', bytes, 'application/vnd.docker.distribution.manifest.v2+json', 'v1')
  t.ok((await get(cache.url('manifests/v1', 'win/x'))).body.equals(bytes))
  const answered = await get(cache.url(`blobs/${digestOf(foreign)}`, 'win/x'))
  t.match([answered.status, errorCode(answered)], [404, 'BLOB_UNKNOWN'])
})

t.test('21: a manifest asked for as a blob keeps its bytes, and does not poison the manifest', async t => {
  upstream.reset()
  const poison = image({ seed: 'poison' })
  upstream.push('poison/x', poison, 'v1')
  upstream.addBlob('poison/x', poison.bytes)
  const asBlob = await get(cache.url(`blobs/${poison.digest}`, 'poison/x'))
  t.match([asBlob.headers['content-type'], asBlob.body.equals(poison.bytes)], ['application/octet-stream', true])
  const asManifest = await get(cache.url(`manifests/${poison.digest}`, 'poison/x'))
  t.match([asManifest.headers['content-type'], asManifest.body.equals(poison.bytes)], [poison.mediaType, true])
  t.equal((await get(cache.url(`blobs/${poison.digest}`, 'poison/x'))).headers['content-type'], 'application/octet-stream')
})

t.test('a blob that upstream does not have: 404, remembered for a moment', async t => {
  upstream.reset()
  upstream.forget()
  const url = cache.url(`blobs/${digestOf(Buffer.from('nowhere'))}`)
  for (let pull = 0; pull < 3; pull++) t.match(await get(url), { status: 404 })
  t.equal(upstream.count('*', BLOB), 1)
})

t.test('sha512 works', async t => {
  upstream.reset()
  const bytes = randomContent(1000, 'sha512')
  const digest = digestOf(bytes, 'sha512')
  upstream.on('GET', digest).always(() => ({ status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bytes }))
  const cold = await get(cache.url(`blobs/${digest}`))
  t.match([cold.status, cold.body.equals(bytes), outcome(cold)], [200, true, 'miss'])
  t.equal(outcome(await get(cache.url(`blobs/${digest}`))), 'hit')
})

t.test('upstream that ignores ranges still heals', async t => {
  const { bytes, url } = addBlob('no-ranges', 200_000)
  upstream.on('GET', BLOB).always(ignoreRange())
  upstream.on('GET', BLOB).once(cut({ after: 0.5 }))
  const answered = await get(url)
  t.ok(answered.complete && answered.body.equals(bytes))
})

for (const how of ['passed through', 'far ahead of the fill']) {
  t.test(`17: a range ${how}, where upstream ignores ranges: that range and not a byte more, as it would be read as the next response`, async t => {
    const own = await scriptedUpstream(t)
    const { entrepot } = await cacheOf(t, own)
    const digest = own.addBlob(REPOSITORY, randomContent(1_000_000, how))
    if (how === 'passed through') rmSync(join(entrepot.storage, 'partial'), { recursive: true })
    else own.on('GET', BLOB).once(slow(10_000))
    own.on('GET', BLOB).always(ignoreRange())
    const path = `/v2/p/${REPOSITORY}/blobs/${digest}`
    const filling = how === 'passed through' ? undefined : await open(entrepot.url + path)
    const request = (range: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nRange: bytes=${range}\r\n\r\n`
    const answered = await raw(entrepot.host, request('500000-500009') + request('700000-700009'), { quiet: 3000 })
    t.match(answered, /^HTTP\/1\.1 206 [^]*?\r\n\r\n[^]{10}HTTP\/1\.1 206 [^]*?\r\n\r\n[^]{10}$/)
    filling?.destroy()
  })
}

t.test('upstream that stumbles over ranges: what an earlier attempt left is no obstacle', async t => {
  const { bytes, digest, url } = addBlob('no-ranges-at-all', 200_000)
  writeFileSync(join(cache.entrepot.storage, 'partial', digest.replace(':', '-')), bytes.subarray(0, 100_000))
  upstream.on('GET', BLOB).always((request, next) => (request.headers.range === undefined ? next(request) : errorReply(400, 'UNSUPPORTED', 'no ranges here')))
  const answered = await get(url)
  t.ok(answered.complete && answered.body.equals(bytes))
})

t.test('19: a stored blob that turns out shorter while it is sent: the connection is destroyed, not kept in silence', async t => {
  const { digest, url } = addBlob('cut-short', 40_000_000)
  await get(url)
  const file = join(cache.entrepot.storage, 'blobs', digest.replace(':', '/').replace(/\/(..)/, '/$1/$1'))
  for (let tries = 0; !existsSync(file) && tries < 500; tries++) await new Promise(resolve => { setTimeout(resolve, 10) })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const pull = await open(url, { agent })
  truncateSync(file, 1000)
  const ended = await new Promise(resolve => { pull.on('end', () => resolve('ended')).on('error', () => resolve('broken')).resume() })
  t.equal(ended, 'broken')
  t.match(await cache.entrepot.logged(({ reason }) => /the body ended after/.test(String(reason))), { level: 50, status: 200 })
})

await membership(t)

/** Item: a blob cached through one project is not served through another that cannot show it upstream. */
async function membership(t: Test): Promise<void> {
  await t.test('openshift/origin #9755, CVE-2026-35172: a cached blob is given only to repositories that have it', async t => {
    upstream.reset()
    const other = await scriptedUpstream(t)
    const both = await cacheOf(t, upstream, {
      config: {
        endpoints: { up: { type: 'docker-registry', url: upstream.url }, other: { type: 'docker-registry', url: other.url } },
        projects: { p: { endpoint: 'up' }, b: { endpoint: 'other' } },
      },
    })
    const secret = image({ seed: 'secret' })
    const [layer = secret.digest] = layerDigests(secret)
    upstream.push('private/x', secret, 'v1')
    t.equal((await get(both.url(`blobs/${layer}`, 'private/x'))).status, 200)

    const { url } = both.entrepot
    for (const path of [`${url}/v2/p/other/repo/blobs/${layer}`, `${url}/v2/b/private/x/blobs/${layer}`]) {
      const refused = await get(path)
      t.match([refused.status, errorCode(refused)], [404, 'BLOB_UNKNOWN'], path)
      t.equal((await head(path)).status, 404)
    }
    t.equal((await get(`${url}/v2/b/private/x/manifests/${secret.digest}`)).status, 404, 'nor a manifest')

    other.push('shown/x', secret, 'v1')
    other.on('*', /blobs/).always(refuse(403))
    t.equal((await get(`${url}/v2/b/shown/x/blobs/${layer}`)).status, 403, 'not while upstream denies it')
    other.reset()
    await get(`${url}/v2/b/shown/x/manifests/v1`)
    other.forget()
    const shown = await get(`${url}/v2/b/shown/x/blobs/${layer}`)
    t.match([shown.status, outcome(shown)], [200, 'hit'], 'a manifest of that repository names it')
    t.equal(other.count('GET', BLOB), 0, 'content is stored once')
  })

  await t.test('one registry, two endpoints: what one may read is no proof for the other, not even while it is being filled', async t => {
    const credentials = { username: 'robot', password: 'secret' }
    const guarded = await scriptedUpstream(t, { basic: credentials })
    const digest = guarded.addBlob(REPOSITORY, randomContent(1000, 'guarded'))
    const type = 'docker-registry'
    const both = await cacheOf(t, guarded, {
      config: {
        endpoints: { robot: { type, url: guarded.url, credentials }, anonymous: { type, url: guarded.url } },
        projects: { p: { endpoint: 'robot' }, a: { endpoint: 'anonymous' } },
      },
    })
    const anonymous = `${both.entrepot.url}/v2/a/${REPOSITORY}/blobs/${digest}`
    guarded.on('GET', BLOB).once(stall({ after: 0.5 }))
    const filling = await open(both.url(`blobs/${digest}`))
    const joined = await get(anonymous)
    t.match([joined.status, errorCode(joined)], [403, 'DENIED'])
    filling.destroy()
  })
}
