import t, { type Test } from 'tap'
import { cacheOf, outcome, REPOSITORY, type Cache, type CacheOptions } from '../support/cache.ts'
import { errorCode, get, head, json } from '../support/http.ts'
import { image, type Image } from '../support/image.ts'
import {
  answer, dropDigest, hold, refuse, refuseHead, scriptedUpstream, setHeader, silence, slow, tooManyRequests, type ScriptedUpstream,
} from '../support/scripted-upstream.ts'
import type { Teardown } from '../support/upstream/server.ts'

/** design.md part 3, the table: each row against an upstream that counts what it is asked. */

const MANIFEST = /\/manifests\//
const old = image({ seed: 'old' })
const newer = image({ seed: 'newer' })


interface Scene {
  upstream: ScriptedUpstream
  cache: Cache
}

async function scene(t: Teardown, options: CacheOptions = {}): Promise<Scene> {
  const upstream = await scriptedUpstream(t)
  upstream.push(REPOSITORY, old, 'latest')
  const cache = await cacheOf(t, upstream, options)
  return { upstream, cache }
}

/** With `latest` cached, and upstream's counters at zero. */
async function cached(t: Test, options: CacheOptions = {}): Promise<Scene> {
  const made = await scene(t, options)
  await warmUp(t, made)
  return made
}

async function warmUp(t: Test, { cache, upstream }: Scene): Promise<void> {
  await served(t, cache, old, 'miss')
  upstream.forget()
}

/** One process for all tests that leave its endpoint healthy: each has a repository of its own. */
const shared = await scene(t)

function fresh(t: Test): Scene {
  const { upstream, cache } = shared
  const repository = `rows/${t.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')}`
  upstream.reset()
  upstream.forget()
  upstream.push(repository, old, 'latest')
  const own: ScriptedUpstream = { ...upstream, push: (_, ...rest) => upstream.push(repository, ...rest), tag: (_, ...rest) => upstream.tag(repository, ...rest), untag: (_, tag) => upstream.untag(repository, tag) }
  const url = (path: string): string => cache.url(path, repository)
  return { upstream: own, cache: { ...cache, url, get: (path, options) => get(url(path), options), head: (path, options) => head(url(path), options) } }
}

async function freshlyCached(t: Test): Promise<Scene> {
  const made = fresh(t)
  await warmUp(t, made)
  return made
}

async function served(t: Test, cache: Cache, expected: Image, how: string): Promise<void> {
  const answered = await cache.get('manifests/latest')
  t.match(answered, { status: 200, headers: { 'docker-content-digest': expected.digest, 'content-type': expected.mediaType } })
  t.ok(answered.body.equals(expected.bytes), 'the very bytes')
  t.equal(outcome(answered), how)
}

function asked(t: Test, upstream: ScriptedUpstream, heads: number, gets: number): void {
  t.strictSame({ heads: upstream.count('HEAD', MANIFEST), gets: upstream.count('GET', MANIFEST) }, { heads, gets }, `${heads} HEAD, ${gets} GET upstream`)
}

t.test('not cached: one GET, miss, stored', async t => {
  const { upstream, cache } = fresh(t)
  const answered = await cache.get('manifests/latest')
  t.equal(answered.headers['cache-status'], 'entrepot; fwd=miss; fwd-status=200; stored; detail=miss')
  asked(t, upstream, 0, 1)
})

t.test('HEAD 200, same digest: revalidated without a GET', async t => {
  const { upstream, cache } = await freshlyCached(t)
  const answered = await cache.get('manifests/latest')
  t.equal(answered.headers['cache-status'], 'entrepot; fwd=stale; fwd-status=200; detail=revalidated')
  asked(t, upstream, 1, 0)
})

t.test('HEAD 200, other digest: updated', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.push(REPOSITORY, newer, 'latest')
  await served(t, cache, newer, 'updated')
  asked(t, upstream, 1, 1)
  await served(t, cache, newer, 'revalidated')
})

t.test('a tag that moves back to a manifest that is here costs no GET', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.push(REPOSITORY, newer, 'latest')
  await served(t, cache, newer, 'updated')
  upstream.tag(REPOSITORY, 'latest', old.digest)
  upstream.forget()
  await served(t, cache, old, 'updated')
  asked(t, upstream, 1, 0)
})

t.test('updated, but the GET fails: stale', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.push(REPOSITORY, newer, 'latest')
  upstream.on('GET', MANIFEST).always(refuse(500))
  await served(t, cache, old, 'stale')
})

for (const [name, fault] of Object.entries({ 'HEAD 405': refuseHead(405), 'HEAD 403': refuseHead(403), 'HEAD without a digest': dropDigest() })) {
  t.test(`${name}: a GET tells, by the digest of its bytes`, async t => {
    const { upstream, cache } = await freshlyCached(t)
    upstream.on('HEAD', MANIFEST).always(fault)
    await served(t, cache, old, 'revalidated')
    asked(t, upstream, 1, 1)
    upstream.push(REPOSITORY, newer, 'latest')
    await served(t, cache, newer, 'updated')
  })
}

t.test('a HEAD that lies about the digest does not make bytes wrong', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.on('HEAD', MANIFEST).always(setHeader('docker-content-digest', newer.digest))
  await served(t, cache, old, 'revalidated')
})

t.test('unreachable: stale, with a Warning that says since when and why', async t => {
  const { upstream, cache } = await cached(t)
  await upstream.stop()
  const answered = await cache.get('manifests/latest')
  t.equal(outcome(answered), 'stale')
  t.match(answered.headers['warning'], /^299 - "entrepot serves its copy of latest, last confirmed by up at 20\d\d-.*Z: upstream is unreachable"$/)
  t.ok(answered.body.equals(old.bytes))
  await upstream.start()
})

t.test('unreachable, not cached: 503 UNAVAILABLE, never 404', async t => {
  const { upstream, cache } = await scene(t)
  await upstream.stop()
  const answered = await cache.get('manifests/latest')
  t.equal(answered.status, 503)
  t.equal(errorCode(answered), 'UNAVAILABLE')
  await upstream.start()
})

t.test('timeout: stale where cached, 504 where not', async t => {
  const { upstream, cache } = await cached(t, { endpoint: { timeouts: { response: '300ms' } } })
  upstream.on('*').always(silence())
  await served(t, cache, old, 'stale')
  const answered = await get(cache.url('manifests/other'))
  t.match([answered.status, errorCode(answered)], [504, 'UNAVAILABLE'])
})

t.test('a dead upstream costs the first caller its timeout, not everyone, and hides nothing', async t => {
  const { upstream, cache } = await cached(t, { endpoint: { timeouts: { response: '300ms' } } })
  upstream.on('*').always(silence())
  for (let pull = 0; pull < 5; pull++) await served(t, cache, old, 'stale')
  asked(t, upstream, 1, 0)
  upstream.reset()
  await cache.entrepot.logged(line => /answers again/.test(line.msg))
  await served(t, cache, old, 'revalidated')
})

t.test('a manifest that drips holds nobody for longer than the timeouts', async t => {
  const { upstream, cache } = await cached(t, { endpoint: { timeouts: { response: '500ms', idle: '500ms' } } })
  upstream.push(REPOSITORY, newer, 'latest')
  upstream.on('GET', MANIFEST).always(slow(20))
  await served(t, cache, old, 'stale')
})

for (const status of [500, 502, 503]) {
  t.test(`${status}: stale where cached, 503 where not`, async t => {
    const { upstream, cache } = await freshlyCached(t)
    upstream.on('*', MANIFEST).always(refuse(status))
    const answered = await cache.get('manifests/latest')
    t.equal(answered.headers['cache-status'], `entrepot; fwd=stale; fwd-status=${status}; detail=stale`)
    const missing = await cache.get('manifests/other')
    t.match([missing.status, errorCode(missing), missing.headers['cache-status']], [503, 'UNAVAILABLE', `entrepot; fwd=miss; fwd-status=${status}; detail=miss`])
  })
}

t.test('429: stale, and upstream is left alone until Retry-After', async t => {
  const { upstream, cache } = await cached(t)
  upstream.on('*', MANIFEST).always(tooManyRequests(60))
  await served(t, cache, old, 'stale')
  await served(t, cache, old, 'stale')
  asked(t, upstream, 1, 0)
  const answered = await cache.get('manifests/other')
  t.match([answered.status, errorCode(answered)], [429, 'TOOMANYREQUESTS'])
  const seconds = Number(answered.headers['retry-after'])
  t.ok(seconds > 50 && seconds <= 60, `Retry-After is what is left: ${seconds}`)
  asked(t, upstream, 1, 0)
})

t.test('401/403 with the endpoint\'s credentials: 403 DENIED, and no challenge of upstream\'s', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.on('*', MANIFEST).always(refuse(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="upstream"' }))
  const answered = await cache.get('manifests/latest')
  t.match([answered.status, errorCode(answered), answered.headers['www-authenticate']], [403, 'DENIED', undefined])
})

t.test('denied is stale where the project says so', async t => {
  const { upstream, cache } = await cached(t, { project: { serveStaleOn: ['denied'] } })
  upstream.on('*', MANIFEST).always(refuse(403, 'DENIED'))
  await served(t, cache, old, 'stale')
})

t.test('404: MANIFEST_UNKNOWN although cached, and the cached bytes stay', async t => {
  const { upstream, cache } = await freshlyCached(t)
  upstream.untag(REPOSITORY, 'latest')
  const answered = await cache.get('manifests/latest')
  t.match([answered.status, errorCode(answered)], [404, 'MANIFEST_UNKNOWN'])
  const byDigest = await cache.get(`manifests/${old.digest}`)
  t.match([byDigest.status, outcome(byDigest)], [200, 'hit'])
})

t.test('not-found is stale where the project says so', async t => {
  const { upstream, cache } = await cached(t, { project: { serveStaleOn: ['not-found'] } })
  upstream.untag(REPOSITORY, 'latest')
  await served(t, cache, old, 'stale')
})

t.test('404 is remembered for a few seconds', async t => {
  const { upstream, cache } = fresh(t)
  for (let pull = 0; pull < 3; pull++) {
    const answered = await cache.get('manifests/nowhere')
    t.equal(answered.status, 404)
    t.match(json(answered), { errors: [{ code: 'MANIFEST_UNKNOWN' }] })
    t.equal(outcome(answered), pull === 0 ? 'miss' : 'hit')
  }
  asked(t, upstream, 0, 1)
})

t.test('a failure that the project does not list is not papered over', async t => {
  const { upstream, cache } = await cached(t, { project: { serveStaleOn: ['unreachable'] } })
  upstream.on('*', MANIFEST).always(refuse(500))
  t.equal((await cache.get('manifests/latest')).status, 503)
})

t.test('freshness: a tag is trusted that long, without a call', async t => {
  const { upstream, cache } = await cached(t, { project: { freshness: '1h' } })
  upstream.push(REPOSITORY, newer, 'latest')
  await served(t, cache, old, 'hit')
  asked(t, upstream, 0, 0)
})

t.test('immutableTags: never asked again', async t => {
  const { upstream, cache } = await scene(t, { project: { immutableTags: ['v*.*.*'] } })
  upstream.push(REPOSITORY, old, 'v1.2.3', 'v1')
  for (const tag of ['v1.2.3', 'v1']) await cache.get(`manifests/${tag}`)
  upstream.forget()
  t.equal(outcome(await cache.get('manifests/v1.2.3')), 'hit')
  asked(t, upstream, 0, 0)
  t.equal(outcome(await cache.get('manifests/v1')), 'revalidated')
})

t.test('by digest: no upstream call, ever', async t => {
  const { upstream, cache } = await cached(t)
  await upstream.stop()
  const answered = await cache.get(`manifests/${old.digest}`)
  t.match([answered.status, answered.headers['cache-status']], [200, 'entrepot; hit; detail=hit'])
  await upstream.start()
  asked(t, upstream, 0, 0)
})

t.test('a hundred pulls of one tag cost one HEAD, and those that joined say so', async t => {
  const { upstream, cache } = await freshlyCached(t)
  let release = (): void => undefined
  upstream.on('HEAD', MANIFEST).always(hold(new Promise<void>(resolve => { release = resolve })))
  const pulls = Array.from({ length: 100 }, () => cache.get('manifests/latest'))
  await upstream.arrival('HEAD', MANIFEST)
  // All requests have reached entrepot once a later one of another kind is answered.
  await Promise.all(Array.from({ length: 4 }, () => cache.get(`manifests/${old.digest}`)))
  setTimeout(release, 200)
  const answers = await Promise.all(pulls)
  t.ok(answers.every(({ status, body }) => status === 200 && body.equals(old.bytes)))
  asked(t, upstream, 1, 0)
  t.equal(answers.filter(({ headers }) => /collapsed/.test(String(headers['cache-status']))).length, 99)
})

t.test('an upstream that answers HTML is not believed', async t => {
  const { upstream, cache } = fresh(t)
  upstream.on('GET', MANIFEST).always(answer(200, { 'content-type': 'text/html' }, '<html>maintenance</html>'))
  t.equal((await cache.get('manifests/latest')).status, 503)
})
