import t, { type Test } from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { cacheOf, outcome } from '../support/cache.ts'
import { errorCode, get, head, json, raw, type HttpAnswer } from '../support/http.ts'
import { artifact, image, multiPlatformImage, nestedIndex, randomContent } from '../support/image.ts'
import { scriptedUpstream, setHeader, silence } from '../support/scripted-upstream.ts'

/** protocol.md 1 to 5 and 10 to 14. */

const upstream = await scriptedUpstream(t)
const cache = await cacheOf(t, upstream)
const { url: base, host } = cache.entrepot
const MANIFEST = /\/manifests\//

t.beforeEach(() => {
  upstream.reset()
  upstream.forget()
})

t.test('1: ping, under /<project>/v2/ too, with every upstream silent', async t => {
  upstream.on('*').always(silence())
  for (const path of ['/v2/', '/v2', '/p/v2/', '/p/v2']) {
    const answered = await get(base + path, { deadline: 2000 })
    t.match([answered.status, answered.body.toString(), answered.headers['docker-distribution-api-version']], [200, '{}', 'registry/2.0'], path)
    const asHead = await head(base + path)
    t.match([asHead.status, asHead.body.length, asHead.headers['content-length']], [200, 0, '2'], path)
  }
})

const REFUSED: [name: string, path: string, status: number, code: string][] = [
  ['an unknown project', '/v2/nowhere/library/x/manifests/latest', 404, 'NAME_UNKNOWN'],
  ['a project without a repository', '/v2/p/manifests/latest', 404, 'NAME_UNKNOWN'],
  ['no registry path', '/index.html', 404, 'UNSUPPORTED'],
  ['upper case', '/v2/p/Library/x/manifests/latest', 400, 'NAME_INVALID'],
  ['a double separator in a name', '/v2/p/a..b/manifests/latest', 400, 'NAME_INVALID'],
  ['a name of 300 characters', `/v2/p/${'a'.repeat(300)}/manifests/latest`, 400, 'NAME_INVALID'],
  ['a tag off the grammar', '/v2/p/x/manifests/.hidden', 404, 'MANIFEST_UNKNOWN'],
  ['a tag of 129 characters', `/v2/p/x/manifests/${'a'.repeat(129)}`, 404, 'MANIFEST_UNKNOWN'],
  ['a short digest', '/v2/p/x/blobs/sha256:abc', 400, 'DIGEST_INVALID'],
  ['an upper-case digest', `/v2/p/x/manifests/sha256:${'A'.repeat(64)}`, 400, 'DIGEST_INVALID'],
  ['an unknown algorithm', `/v2/p/x/blobs/md5:${'a'.repeat(32)}`, 400, 'DIGEST_INVALID'],
  ['no digest', '/v2/p/x/blobs/latest', 400, 'DIGEST_INVALID'],
]

for (const [name, path, status, code] of REFUSED) {
  t.test(`2, 3: ${name} is ${status} ${code}`, async t => {
    const answered = await get(base + path)
    t.match([answered.status, errorCode(answered), answered.headers['content-type']], [status, code, 'application/json'])
    t.match(json(answered), { errors: [{ code, message: /.{10}/ }] })
    t.match(await head(base + path), { status, body: Buffer.alloc(0) }, 'HEAD errors have no body')
    t.strictSame(upstream.requests, [], 'upstream is not asked')
  })
}

t.test('4: hostile targets are refused on the raw request', async t => {
  const targets = [
    '/v2/../etc/passwd', '/v2/p/../../etc/manifests/latest', '/v2/p/x/manifests/..', '/v2/p//x/manifests/latest', '/v2/p/x%2Fy/manifests/latest',
    '/v2/p/%2e%2e/manifests/latest', '/v2/p/x%00/manifests/latest', '/v2/p/x\\y/manifests/latest', '/v2/p/x%5Cy/manifests/latest', '/v2/p/%zz/manifests/latest',
    'http://127.0.0.1/v2/p/x/manifests/latest', 'http://127.0.0.1/v2/../etc/passwd', '//v2/p/x/manifests/latest',
  ]
  for (const target of targets) {
    const answered = await raw(host, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    t.match(answered, /^HTTP\/1\.1 (400|404) .*\r\n/, target)
    t.match(answered, /"errors":\[\{"code"/, target)
  }
  t.strictSame(upstream.requests, [])
})

t.test('4: parsed from the right: components called manifests, blobs, tags; 30 of them; an encoded colon', async t => {
  const pulled = image({ seed: 'odd' })
  for (const name of ['manifests/blobs/tags/list', 'a/referrers/manifests', Array.from({ length: 30 }, (_, n) => `c${n}`).join('/')]) {
    upstream.push(name, pulled, 'v1')
    t.equal((await get(cache.url('manifests/v1', name))).status, 200, name)
    t.equal((await get(cache.url(`manifests/${pulled.digest.replace(':', '%3A')}`, name))).status, 200)
  }
  t.equal((await get(cache.url(`manifests/${pulled.digest.replace(':', '%253A')}`))).status, 404, 'decoded once only')
})

for (const [method, path] of [
  ['POST', 'blobs/uploads/'], ['PATCH', 'blobs/uploads/x'], ['PUT', 'manifests/latest'], ['DELETE', 'manifests/latest'],
  ['POST', `blobs/uploads/?mount=${digestOf(Buffer.from('x'))}&from=other`], ['DELETE', `blobs/${digestOf(Buffer.from('x'))}`],
] as const) {
  t.test(`5: ${method} ${path.replace(/[?].*/, '?mount')} is refused, with a sentence`, async t => {
    const answered = await get(cache.url(path), { method, body: 'x'.repeat(100_000) })
    t.match([answered.status, errorCode(answered), answered.headers.allow], [405, 'UNSUPPORTED', 'GET, HEAD'])
    t.match(json(answered), { errors: [{ message: /push to its upstream registry/ }] })
    t.strictSame(upstream.requests, [])
  })
}

t.test('5: a push too large to drain is answered, and its connection closed', async t => {
  const answered = await raw(host, `PUT /v2/p/x/manifests/latest HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 999999999\r\n\r\nxx`)
  t.match(answered, /^HTTP\/1\.1 405 /)
  t.match(answered, /connection: close/i)
})

const LATEST: Record<string, ReturnType<typeof image>> = {
  'an OCI image': image({ seed: 'oci' }),
  'a Docker image': image({ seed: 'docker', docker: true }),
  'an OCI index': multiPlatformImage({ seed: 'index' }),
  'a Docker manifest list': multiPlatformImage({ seed: 'list', docker: true }),
  'an index of indexes': nestedIndex({ seed: 'nested' }),
  'an artifact': artifact([Buffer.from('chart')]),
}

for (const [name, of] of Object.entries(LATEST)) {
  t.test(`10 to 12: ${name}, byte for byte, whatever the client accepts`, async t => {
    const repository = name.toLowerCase().replaceAll(' ', '-')
    upstream.push(repository, of, 'v1')
    const accepts = ['', '*/*', 'application/vnd.oci.image.manifest.v1+json', 'text/html']
    for (const accept of accepts) {
      for (const reference of ['v1', of.digest]) {
        const url = cache.url(`manifests/${reference}`, repository)
        const headers = { ...(accept && { accept }), 'accept-encoding': 'zstd;q=1.0, gzip;q=0.8', 'range': 'bytes=0-' }
        const answered = await get(url, { headers })
        t.match(answered, { status: 200, headers: { 'content-type': of.mediaType, 'docker-content-digest': of.digest, 'etag': `"${of.digest}"`, 'content-encoding': undefined } })
        t.ok(answered.body.equals(of.bytes))
        t.strictSame(essential(await head(url, { headers })), essential(answered), 'HEAD has GET\'s headers')
      }
    }
    for (const { headers } of upstream.requests) t.match(headers, { 'accept': /oci\.image\.index.*docker.*list.*\*\/\*$/, 'accept-encoding': 'identity', 'user-agent': /^entrepot\// })
    t.equal(upstream.count('GET', MANIFEST), 1)
  })
}

function essential({ status, headers }: HttpAnswer): unknown {
  const { date: _, 'cache-status': __, ...rest } = headers
  return { status, rest }
}

t.test('10: media types unknown to us, and parameters, and types that say nothing', async t => {
  const odd = Buffer.from('{"schemaVersion":2,  "mediaType":"application/vnd.future+json"}')
  for (const [sent, stored] of [
    ['application/vnd.future+json; charset=utf-8', 'application/vnd.future+json'],
    ['application/octet-stream', 'application/vnd.future+json'],
    ['application/vnd.other.v9', 'application/vnd.other.v9'],
  ] as const) {
    const repository = `types/${sent.replaceAll(/[^a-z0-9]+/g, '-')}`
    const digest = upstream.addManifest(repository, odd, sent, 'v1')
    const answered = await get(cache.url('manifests/v1', repository))
    t.match([answered.headers['content-type'], answered.headers['docker-content-digest'], answered.body.equals(odd)], [stored, digest, true])
  }
})

t.test('10: Docker-Content-Digest is computed, never copied', async t => {
  const pulled = image({ seed: 'lied-about' })
  upstream.push('lies/x', pulled, 'v1')
  upstream.on('GET', MANIFEST).always(setHeader('docker-content-digest', 'sha256:nonsense'))
  t.equal((await get(cache.url('manifests/v1', 'lies/x'))).headers['docker-content-digest'], pulled.digest)
  upstream.reset()
  upstream.push('lies/y', pulled, 'v1')
  upstream.on('GET', MANIFEST).always(setHeader('docker-content-digest', digestOf(Buffer.from('other'))))
  t.equal((await get(cache.url('manifests/v1', 'lies/y'))).status, 503, 'bytes and digest that contradict each other are nobody\'s manifest')
  t.equal((await get(cache.url(`manifests/${digestOf(Buffer.from('more'))}`, 'lies/y'))).status, 404)
})

t.test('10: a manifest by digest with other bytes is not served', async t => {
  const [asked, sent] = [image({ seed: 'asked' }), image({ seed: 'sent' })]
  upstream.push('swapped/x', asked, 'v1')
  upstream.on('GET', MANIFEST).once(() => ({ status: 200, headers: { 'content-type': sent.mediaType }, body: sent.bytes }))
  t.equal((await get(cache.url(`manifests/${asked.digest}`, 'swapped/x'))).status, 503)
  t.equal((await get(cache.url(`manifests/${asked.digest}`, 'swapped/x'))).status, 200)
})

t.test('11: If-None-Match on a manifest: 304', async t => {
  const pulled = image({ seed: 'etag' })
  upstream.push('etag/x', pulled, 'v1')
  for (const tag of [`"${pulled.digest}"`, pulled.digest, `W/"${pulled.digest}"`]) {
    const answered = await get(cache.url('manifests/v1', 'etag/x'), { headers: { 'if-none-match': tag } })
    t.match([answered.status, answered.body.length, answered.headers['content-length']], [304, 0, undefined], tag)
  }
})

t.test('13: an index whose children are not cached is served; a child that is not is 503 in an outage, never 404', async t => {
  const { upstream, cache } = await own(t)
  const pulled = multiPlatformImage({ seed: 'outage' })
  upstream.push('library/x', pulled, 'latest')
  const [child] = pulled.manifests
  const [, sibling] = pulled.manifests
  await cache.get('manifests/latest')
  await cache.get(`manifests/${child?.digest ?? ''}`)
  await upstream.stop()
  t.equal(outcome(await cache.get('manifests/latest')), 'stale')
  t.equal(outcome(await cache.get(`manifests/${pulled.digest}`)), 'hit')
  t.equal(outcome(await cache.get(`manifests/${child?.digest ?? ''}`)), 'hit')
  t.equal((await cache.get(`manifests/${sibling?.digest ?? ''}`)).status, 503)
})

t.test('13: manifests of 4 MiB work; above the cap there is a clear error', async t => {
  const manifestOf = (size: number): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { filler: randomContent(size / 2, 'big').toString('hex') } }))
  const big = manifestOf(4 * 1024 * 1024)
  upstream.addManifest('big/x', big, 'application/vnd.oci.image.manifest.v1+json', 'v1')
  upstream.addManifest('big/x', manifestOf(17 * 1024 * 1024), 'application/vnd.oci.image.manifest.v1+json', 'v2')
  for (const how of ['cold', 'warm']) t.ok((await get(cache.url('manifests/v1', 'big/x'))).body.equals(big), how)
  const answered = await get(cache.url('manifests/v2', 'big/x'))
  t.match(answered.body.toString(), /16 MiB, the cap for manifests/)
  t.ok(answered.status >= 400)
})

async function own(t: Test): Promise<{ upstream: typeof upstream; cache: typeof cache }> {
  const mine = await scriptedUpstream(t)
  return { upstream: mine, cache: await cacheOf(t, mine) }
}

t.test('30: keep-alive outlasts the 90 s of Go\'s clients', async t => {
  t.match((await raw(host, `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`)), /keep-alive: timeout=(9[1-9]|\d{3})/i)
})

t.test('the log: one line a request, and nothing of queries or headers', async t => {
  upstream.push('logged/x', image({ seed: 'logged' }), 'v1')
  await get(`${cache.url('manifests/v1', 'logged/x')}?token=query-secret`, { headers: { authorization: 'Basic header-secret' } })
  const line = await cache.entrepot.logged(({ reference }) => reference === 'logged/x:v1')
  t.match(line, { project: 'p', kind: 'manifest', method: 'GET', status: 200, outcome: 'miss', upstreamStatus: 200, bytes: Number, durationMs: Number })
  t.notMatch(JSON.stringify(cache.entrepot.logs), /secret/)
})
