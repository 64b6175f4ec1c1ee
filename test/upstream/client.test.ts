import t from 'tap'
import { BLOB, BLOB_DIGEST, endpoint, failureOf, harness, MANIFEST, MANIFEST_DIGEST, readAll, REPOSITORY, scripted, TAG, world, type Script } from './support.ts'

const blobOf = async ({ upstream }: ReturnType<typeof harness>): Promise<string> =>
  readAll((await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })).stream)

const credentials = { username: 'robot$puller', password: 'geheim' }
const BASIC = `Basic ${Buffer.from('robot$puller:geheim').toString('base64')}`

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`${status} is followed, with the same method and Range`, async t => {
    const server = await scripted(t, ({ path }) => path.startsWith('/v2/') ? { status, headers: { location: '/files/x?sig=1' } } : { status: 206, headers: { 'content-range': 'bytes 4-9/10' }, body: '456789' })
    const body = await harness(t, endpoint(server.url)).upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 4 })
    t.equal(await readAll(body.stream), '456789')
    t.match(server.requests[1], { method: 'GET', path: '/files/x?sig=1', headers: { range: 'bytes=4-' } })
  })
}

t.test('up to ten redirects, no more, and no circles', async t => {
  const chain = (length: number): Script => ({ path }) => {
    const hop = Number(/\/hop\/(\d+)/.exec(path)?.[1] ?? 0)
    return hop < length ? { status: 302, headers: { location: `/hop/${hop + 1}` } } : { status: 200, body: BLOB }
  }
  const ten = await scripted(t, chain(10))
  t.equal(await blobOf(harness(t, endpoint(ten.url))), '0123456789')
  const eleven = await scripted(t, chain(11))
  t.match(await failureOf(blobOf(harness(t, endpoint(eleven.url)))), { reason: 'server-error', message: /more than 10 times/ })
  const circle = await scripted(t, ({ path }) => ({ status: 307, headers: { location: path } }))
  t.match(await failureOf(blobOf(harness(t, endpoint(circle.url)))), { reason: 'server-error' })
  t.equal(circle.requests.length, 11)
})

t.test('a redirect without Location is no answer', async t => {
  const server = await scripted(t, () => ({ status: 302 }))
  t.match(await failureOf(blobOf(harness(t, endpoint(server.url)))), { reason: 'server-error', message: /without saying where/ })
})

t.test('a Location is never remembered', async t => {
  const server = await scripted(t, ({ path }, count) => path.startsWith('/v2/') ? { status: 301, headers: { location: `/signed/${count}`, 'cache-control': 'max-age=9999' } } : { status: 200, body: BLOB })
  const it = harness(t, endpoint(server.url))
  await blobOf(it)
  await blobOf(it)
  t.same(server.lines().filter(line => line.includes('signed')), ['GET /signed/1', 'GET /signed/3'])
})

t.test('Authorization and cookies are dropped across origins (acr #217, opa #6728), and Authorization is kept within', async t => {
  const server = await world(t, {
    'registry.example': ({ path, headers }) => {
      if (headers.authorization !== BASIC) return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
      if (path.startsWith('/v2/')) return { status: 307, headers: { location: '/inner', 'set-cookie': 'session=secret' } }
      return { status: 307, headers: { location: 'http://cdn.example/x', 'set-cookie': 'session=secret' } }
    },
    'cdn.example': ({ headers }) => headers.authorization === undefined ? { status: 200, body: BLOB } : { status: 400 },
  })
  const it = harness(t, endpoint('http://registry.example', { proxy: server.url, credentials }))
  t.equal(await blobOf(it), '0123456789')
  t.same(server.requests.map(({ host, headers }) => [host, headers.authorization, headers.cookie]), [
    ['registry.example', undefined, undefined],
    ['registry.example', BASIC, undefined],
    ['registry.example', BASIC, undefined],
    ['cdn.example', undefined, undefined],
  ])
})

t.test('another port is another origin', async t => {
  const cdn = await scripted(t, () => ({ status: 200, body: BLOB }))
  const server = await scripted(t, ({ headers }) => headers.authorization === undefined
    ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
    : { status: 307, headers: { location: `${cdn.url}/x` } })
  await blobOf(harness(t, endpoint(server.url, { credentials })))
  t.equal(cdn.requests[0]?.headers.authorization, undefined)
})

t.test('SSRF: a registry elsewhere does not get us to our loopback', async t => {
  const inner = await scripted(t, () => ({ status: 200, body: BLOB }))
  const server = await world(t, { 'registry.example': () => ({ status: 307, headers: { location: `${inner.url}/admin` } }) })
  t.match(await failureOf(blobOf(harness(t, endpoint('http://registry.example', { proxy: server.url })))), { reason: 'server-error', message: /local address/ })
  t.equal(inner.requests.length, 0)
  t.equal(server.requests.length, 1)
})

for (const status of [401, 403, 404, 410]) {
  t.test(`a redirect target answering ${status} has expired, and is resolved again once`, async t => {
    let signed = 0
    const server = await scripted(t, ({ path }) => {
      if (path.startsWith('/v2/')) return { status: 307, headers: { location: `/signed/${signed += 1}` } }
      return path === '/signed/1' ? { status } : { status: 200, body: BLOB }
    })
    t.equal(await blobOf(harness(t, endpoint(server.url))), '0123456789')
    t.equal(server.requests.length, 4)
  })
}

t.test('once, and no more; and only for a GET of a blob', async t => {
  const server = await scripted(t, ({ path }) => path.startsWith('/v2/') ? { status: 307, headers: { location: '/signed' } } : { status: 403 })
  const it = harness(t, endpoint(server.url))
  t.match(await failureOf(blobOf(it)), { reason: 'denied' })
  t.equal(server.requests.length, 4)
  await failureOf(it.upstream.getManifest(REPOSITORY, MANIFEST_DIGEST))
  t.equal(server.requests.length, 6)
  await it.upstream.headManifest(REPOSITORY, TAG)
  t.equal(server.requests.length, 8)
})

t.test('a blob that the registry itself does not have is asked for once', async t => {
  const server = await scripted(t, () => ({ status: 404 }))
  t.match(await failureOf(blobOf(harness(t, endpoint(server.url)))), { reason: 'not-found' })
  t.equal(server.requests.length, 1)
})

t.test('a cross-host 401 gets an anonymous exchange of its own (registry.k8s.io)', async t => {
  const seen: string[] = []
  const server = await world(t, {
    'registry.example': ({ headers, path }) => headers.authorization === BASIC
      ? { status: 307, headers: { location: `http://eu.pkg.example${path.replace('team/app', 'images/app')}` } }
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    'eu.pkg.example': request => {
      seen.push(`${request.path} ${request.headers.authorization}`)
      if (request.path.startsWith('/token')) return { status: 200, body: '{"token":"regional"}' }
      return request.headers.authorization === 'Bearer regional' ? { status: 200, body: MANIFEST }
        : { status: 401, headers: { 'www-authenticate': 'Bearer realm="http://eu.pkg.example/token",service="pkg",scope="repository:lies:push"' } }
    },
  })
  const { upstream } = harness(t, endpoint('http://registry.example', { proxy: server.url, credentials }))
  t.ok((await upstream.getManifest(REPOSITORY, TAG)).bytes.equals(MANIFEST))
  await upstream.getManifest(REPOSITORY, TAG)
  t.same(seen, [
    '/v2/images/app/manifests/latest undefined',
    '/token?service=pkg&scope=repository%3Aimages%2Fapp%3Apull undefined',
    '/v2/images/app/manifests/latest Bearer regional',
    '/v2/images/app/manifests/latest Bearer regional',
  ], 'and is remembered; the credentials never go there')
})
