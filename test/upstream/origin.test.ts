import t from 'tap'
import { BLOB, BLOB_DIGEST, endpoint, failureOf, harness, MANIFEST, REPOSITORY, scripted, TAG, until, type Script } from './support.ts'

const whole = { first: 0 }

t.test('429: upstream is left alone until Retry-After is over (Harbor #19899)', async t => {
  const server = await scripted(t, (_, count) => count === 1 ? { status: 429, headers: { 'retry-after': '20' } } : { status: 200, body: MANIFEST })
  const { upstream, clock, log } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'rate-limited', status: 429, retryAfter: 20 })
  clock.advance(5000)
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'rate-limited', retryAfter: 15 })
  t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, whole)), { reason: 'rate-limited', retryAfter: 15 })
  t.equal(server.requests.length, 1)
  clock.advance(15_000)
  t.ok((await upstream.getManifest(REPOSITORY, TAG)).bytes.equals(MANIFEST))
  t.equal(log.lines.length, 1)
})

t.test('429 without Retry-After: about half a minute', async t => {
  const server = await scripted(t, () => ({ status: 429 }))
  t.match(await failureOf(harness(t, endpoint(server.url)).upstream.getManifest(REPOSITORY, TAG)), { retryAfter: 30 })
})

t.test('429 of a CDN is not the registry\'s', async t => {
  const cdn = await scripted(t, () => ({ status: 429 }))
  const server = await scripted(t, ({ path }) => path.includes('/blobs/') ? { status: 307, headers: { location: `${cdn.url}/x` } } : { status: 200, body: MANIFEST })
  const { upstream } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, whole)), { reason: 'rate-limited' })
  await upstream.getManifest(REPOSITORY, TAG)
})

/** A registry whose manifests and pings can be made to fail apart from each other. */
async function fragile(t: Parameters<typeof scripted>[0]) {
  const state: { manifests: ReturnType<Script>; ping: ReturnType<Script> } = { manifests: 'hang-up', ping: 'hang-up' }
  const server = await scripted(t, ({ path }) => path === '/v2/' ? state.ping : state.manifests)
  const pings = (): number => server.lines().filter(line => line === 'GET /v2/').length
  return { server, state, pings }
}

t.test('unreachable: the breaker opens, probes, and closes', async t => {
  const { server, state, pings } = await fragile(t)
  const { upstream, clock, log } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'unreachable' })
  t.equal(server.lines().filter(line => line.includes('manifests')).length, 2, 'a broken socket is tried once more')
  await until(() => clock.pending().length === 1)
  t.equal(pings(), 1, 'probed at once')
  const before = server.requests.length
  t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'unreachable', retryAfter: 1 })
  t.equal(server.requests.length, before, 'nobody else pays')
  state.manifests = { status: 200, body: MANIFEST }
  state.ping = { status: 401 }
  const patient = upstream.getManifest(REPOSITORY, TAG)
  clock.advance(1000)
  t.ok((await patient).bytes.equals(MANIFEST), 'who has nothing cached waits for the probe')
  t.same(log.lines.map(({ level }) => level), ['warn', 'info'])
})

t.test('a silent registry opens it as a timeout', async t => {
  const { server, state } = await fragile(t)
  state.manifests = 'silence'
  const { upstream, clock } = harness(t, endpoint(server.url, { timeouts: { connect: 500, response: 100, idle: 500 } }))
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'timeout', message: /does not answer in time/ })
  await until(() => clock.pending().length === 1)
  t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'timeout' })
  t.equal(server.lines().filter(line => line.includes('manifests')).length, 1)
})

t.test('a registry that is not there at all', async t => {
  const server = await scripted(t, () => ({ status: 200 }))
  await server.stop()
  const { upstream, clock } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, whole)), { reason: 'unreachable', message: /refuses connections/ })
  await until(() => clock.pending().length === 1)
})

for (const status of [500, 503]) {
  t.test(`${status} does not open it, and as a probe's answer does not close it`, async t => {
    const { server, state, pings } = await fragile(t)
    state.manifests = { status }
    const { upstream, clock } = harness(t, endpoint(server.url))
    for (let n = 0; n < 2; n += 1) t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'server-error' })
    t.equal(server.requests.length, 2)
    state.manifests = 'hang-up'
    state.ping = { status }
    await failureOf(upstream.headManifest(REPOSITORY, TAG))
    await until(() => clock.pending().length === 1)
    t.equal(pings(), 1)
    t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason: 'unreachable' })
  })
}

t.test('a dead CDN leaves it alone', async t => {
  const cdn = await scripted(t, () => 'hang-up')
  const server = await scripted(t, ({ path }) => path.includes('/blobs/') ? { status: 307, headers: { location: `${cdn.url}/x?sig=secret` } } : { status: 200, body: BLOB })
  const { upstream, log } = harness(t, endpoint(server.url))
  const failure = await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, whole))
  t.match(failure, { reason: 'unreachable', message: new RegExp(`127.0.0.1:${cdn.port}`) })
  t.notMatch(failure.message, /secret/)
  await upstream.getManifest(REPOSITORY, TAG)
  t.same(log.lines, [])
})

t.test('an endpoint with a path is probed there', async t => {
  const server = await scripted(t, () => 'hang-up')
  const { upstream, clock } = harness(t, endpoint(`${server.url}/hub`))
  await failureOf(upstream.headManifest(REPOSITORY, TAG))
  await until(() => clock.pending().length === 1)
  t.ok(server.lines().includes('GET /hub/v2/'))
})
