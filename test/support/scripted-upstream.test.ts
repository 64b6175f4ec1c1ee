import t from 'tap'
import { download, downloads, get, head, json, raw } from './http.ts'
import { artifact, image, index, layerDigests, multiPlatformImage, nestedIndex, randomContent } from './image.ts'
import {
  answer, chunked, contentLength, cut, dockerHub, drop, dropDigest, flip, ignoreRange, refuseHead, scriptedUpstream,
  scriptedUpstreamWithCdn, scriptedUpstreamWithTokens, silence, slow, stall, tooManyRequests,
} from './scripted-upstream.ts'

const SIZE = 1 << 20

t.test('is an honest registry by default', async t => {
  const upstream = await scriptedUpstream(t)
  const pushed = multiPlatformImage({ seed: 'honest' })
  upstream.push('team/app', pushed, 'v1', 'v2', 'v3')
  const byTag = await get(`${upstream.url}/v2/team/app/manifests/v1`)
  t.match(byTag, { status: 200, complete: true, headers: { 'content-type': pushed.mediaType, 'docker-content-digest': pushed.digest } })
  t.ok(byTag.body.equals(pushed.bytes))
  t.match(await head(`${upstream.url}/v2/team/app/manifests/${pushed.digest}`), { status: 200, headers: { 'content-length': String(pushed.bytes.length) } })
  t.equal((await get(`${upstream.url}/v2/team/app/manifests/none`)).status, 404)
  t.equal((await get(`${upstream.url}/v2/none/manifests/v1`)).status, 404)
  const [digest = '', bytes = Buffer.alloc(0)] = [...pushed.blobs][1] ?? []
  const part = await get(`${upstream.url}/v2/team/app/blobs/${digest}`, { headers: { range: 'bytes=10-19' } })
  t.match(part, { status: 206, headers: { 'content-range': `bytes 10-19/${bytes.length}` } })
  t.ok(part.body.equals(bytes.subarray(10, 20)))
  t.equal((await get(`${upstream.url}/v2/team/app/blobs/${digest}`, { headers: { range: `bytes=${bytes.length}-` } })).status, 416)
  t.match(await get(`${upstream.url}/v2/team/app/tags/list?n=2`).then(json), { name: 'team/app', tags: ['v1', 'v2'] })
  t.equal(upstream.count('GET', /manifests/), 3)
  t.equal(upstream.count('*', 'manifests/v1'), 2)
  upstream.untag('team/app', 'v1')
  t.equal((await get(`${upstream.url}/v2/team/app/manifests/v1`)).status, 404)
})

t.test('faults', async t => {
  const upstream = await scriptedUpstream(t)
  const content = randomContent(SIZE, 'faults')
  const url = `${upstream.url}/v2/a/blobs/${upstream.addBlob('a', content)}`
  const blobs = upstream.on('GET', /blobs/)
  const manifest = `${upstream.url}/v2/a/manifests/${upstream.addManifest('a', Buffer.from('{}'), 'application/json', 'v1')}`

  t.test('are used up in their order', async t => {
    blobs.times(2, answer(503))
    blobs.once(tooManyRequests(7))
    const statuses = []
    for (let round = 0; round < 4; round += 1) statuses.push((await get(url)).status)
    t.same(statuses, [503, 503, 429, 200])
  })
  t.test('cut: exactly so many bytes arrive', async t => {
    blobs.once(cut({ after: 0.3 }))
    t.match(await download(url), { status: 200, complete: false, bytes: Math.floor(0.3 * SIZE), headers: { 'content-length': String(SIZE) } })
    blobs.once(cut({ after: 12345 }), chunked())
    t.match(await download(url), { status: 200, complete: false, bytes: 12345, headers: { 'transfer-encoding': 'chunked' } })
    blobs.once(cut({ after: 0.5, reset: true }))
    t.equal((await download(url)).complete, false)
  })
  t.test('flip, chunked, wrong length, ignored range', async t => {
    blobs.once(flip({ at: 0.5 }))
    const { body } = await get(url)
    t.equal(body.length, SIZE)
    t.equal(body.findIndex((byte, at) => byte !== content[at]), SIZE / 2)
    blobs.once(chunked())
    t.match(await get(url), { complete: true, headers: { 'content-length': undefined } })
    blobs.once(contentLength(honest => honest + 5), cut({ after: SIZE }))
    t.match(await download(url), { complete: false, bytes: SIZE })
    blobs.once(ignoreRange())
    t.equal((await get(url, { headers: { range: 'bytes=5-' } })).status, 200)
  })
  t.test('silence, stall, drop', async t => {
    blobs.once(silence())
    await t.rejects(get(url, { deadline: 100 }))
    blobs.once(stall({ after: 1000 }))
    t.match(await download(url, { deadline: 200 }), { complete: false, bytes: 1000 })
    blobs.once(drop())
    await t.rejects(get(url))
  })
  t.test('slow is as slow as it says', async t => {
    blobs.once(slow(4 * SIZE))
    const began = performance.now()
    const { firstByteAt, endedAt, complete } = await download(url)
    t.ok(complete)
    t.ok(firstByteAt - began < 150, 'the first byte at once')
    t.ok(endedAt - began > 200 && endedAt - began < 600, `a quarter of a second, not ${endedAt - began} ms`)
  })
  t.test('manifests without a digest, or without HEAD', async t => {
    upstream.on('GET', /manifests/).once(dropDigest())
    t.notOk((await get(manifest)).headers['docker-content-digest'])
    upstream.use(refuseHead(403))
    t.equal((await head(manifest)).status, 403)
    t.equal((await get(manifest)).status, 200)
  })
  t.test('down and back on the same port', async t => {
    const running = download(url, { bytesPerSecond: SIZE })
    await upstream.arrival('GET', /blobs/)
    await upstream.stop()
    t.equal((await running.catch(() => ({ complete: false }))).complete, false)
    await t.rejects(get(url), { code: 'ECONNREFUSED' })
    await upstream.start()
    t.equal((await get(url)).status, 200)
  })
})

t.test('bearer: challenges, counts, expires, revokes', async t => {
  const upstream = await scriptedUpstreamWithTokens(t, { tokens: { users: [{ username: 'u', password: 'p:q' }], expiresIn: 60 } })
  upstream.addManifest('a/b', Buffer.from('{}'), 'application/json', 'v1')
  const url = `${upstream.url}/v2/a/b/manifests/v1`
  const { headers } = await get(url)
  t.equal(headers['www-authenticate'], `Bearer realm="${upstream.tokens.realm}",service="scripted-registry",scope="repository:a/b:pull"`)
  const ask = (password: string) => get(`${upstream.tokens.realm}?service=scripted-registry&scope=repository:a/b:pull`, {
    headers: { authorization: `Basic ${Buffer.from(`u:${password}`).toString('base64')}` },
  })
  t.equal((await ask('wrong')).status, 401)
  t.equal((await get(upstream.tokens.realm)).status, 401)
  const { token } = json(await ask('p:q')) as { token: string }
  t.equal(upstream.tokens.calls, 1)
  const authorization = `Bearer ${token}`
  t.equal((await get(url, { headers: { authorization } })).status, 200)
  t.equal((await get(url.replace('a/b', 'a/c'), { headers: { authorization } })).status, 401)
  upstream.tokens.revoke()
  t.match(await get(url, { headers: { authorization } }), { status: 401, headers: { 'www-authenticate': /error="invalid_token"/ } })
})

t.test('a CDN takes signed URLs only, and no Authorization', async t => {
  const upstream = await scriptedUpstreamWithCdn(t)
  const url = `${upstream.url}/v2/a/blobs/${upstream.addBlob('a', randomContent(100))}`
  const { status, headers: { location = '' } } = await get(url)
  t.equal(status, 307)
  t.match(await download(location), { status: 200, bytes: 100 })
  t.equal((await get(location, { headers: { authorization: 'Bearer x' } })).status, 400)
  upstream.cdn.expire()
  t.equal((await get(location)).status, 403)
})

t.test('a scripted Docker Hub', async t => {
  const hub = await dockerHub(t, { pulls: 1 })
  const pushed = image({ seed: 'hub' })
  hub.push('library/alpine', pushed, 'latest')
  const url = `${hub.url}/v2/library/alpine/manifests/latest`
  t.equal((await get(url)).status, 401)
  const token = async (name: string) => (json(await get(`${hub.tokens.realm}?service=registry.docker.io&scope=repository:${name}:pull`)) as { token: string }).token
  const authorization = `Bearer ${await token('library/alpine')}`
  const accept = `${pushed.mediaType}, */*`
  t.match(await head(url, { headers: { authorization, accept } }), { status: 200, headers: { 'ratelimit-remaining': '1;w=21600' } })
  t.match(await get(url, { headers: { authorization } }), { status: 200, headers: { 'content-type': /v1\+prettyjws/ } })
  t.match(await get(url, { headers: { authorization, accept } }), { status: 429 })
  t.equal((await get(`${hub.url}/v2/alpine/manifests/latest`, { headers: { authorization: `Bearer ${await token('alpine')}` } })).status, 401)
  t.equal((await get(`${hub.url}/v2/library/alpine/blobs/${layerDigests(pushed)[0]}`, { headers: { authorization } })).status, 307)
})

t.test('the HTTP client', async t => {
  const upstream = await scriptedUpstream(t)
  const url = `${upstream.url}/v2/a/blobs/${upstream.addBlob('a', randomContent(SIZE, 'client'))}`
  const all = await downloads(4, url, number => (number === 0 ? { abortAfter: 1000 } : {}))
  t.same(all.map(({ complete }) => complete), [false, true, true, true])
  t.equal(new Set(all.slice(1).map(({ sha256 }) => sha256)).size, 1)
  await get(`${upstream.url}/v2/../%2e/x`)
  t.equal(upstream.requests.at(-1)?.path, '/v2/../%2e/x', 'paths are sent as they are written')
  t.match(await raw(upstream.host, 'GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/)
})

t.test('images', async t => {
  t.equal(image({ seed: 'a' }).digest, image({ seed: 'a' }).digest)
  t.not(image().digest, image().digest)
  t.equal(nestedIndex({ seed: 'n' }).manifests.length, 5)
  t.equal(index([{ image: image({ seed: 'a', docker: true }) }], { docker: true }).mediaType, 'application/vnd.docker.distribution.manifest.list.v2+json')
  t.ok(artifact().blobs.has('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as never))
})
