import t from 'tap'
import { cacheOf, outcome } from '../support/cache.ts'
import { skopeoCopy } from '../support/clients.ts'
import { download, errorCode, get } from '../support/http.ts'
import { image, layerDigests, multiPlatformImage } from '../support/image.ts'
import { needs } from '../support/peers.ts'
import { cut, dockerHub } from '../support/scripted-upstream.ts'

/** An endpoint of type docker-hub in front of a registry that does all that Docker Hub does. */

const hub = await dockerHub(t)
const cache = await cacheOf(t, hub, { endpoint: { type: 'docker-hub' } })
const MANIFEST = /\/manifests\//

t.beforeEach(() => { hub.forget(); hub.cdn.forget(); hub.tokens.forget() })

t.test('a real client pulls an official image by its short name: cold, then warm at the cost of no GET', async t => {
  if (!needs(t, 'skopeo')) return
  const alpine = multiPlatformImage({ seed: 'alpine' })
  hub.push('library/alpine', alpine, '3.20')
  const cold = await skopeoCopy(t, `${cache.entrepot.host}/p/alpine:3.20`, { all: true })
  t.equal(cold.digests[0], alpine.digest)
  t.ok(hub.requests.every(({ path }) => path.startsWith('/v2/library/alpine/') || path === '/v2/'), 'library/ is put in for upstream')
  t.ok(hub.cdn.requests.length > 0 && hub.cdn.requests.every(({ headers }) => headers.authorization === undefined), 'no Authorization for the CDN')
  t.equal(hub.tokens.calls, 1, 'one token for all of it')
  const [pulls, gets] = [hub.pulls, hub.count('GET')]
  hub.forget()
  t.ok(gets > 0)
  const warm = await skopeoCopy(t, `${cache.entrepot.host}/p/library/alpine:3.20`, { all: true })
  t.equal(warm.digests[0], alpine.digest, 'the long name is the same image')
  t.match([hub.count('GET'), hub.count('HEAD'), hub.pulls], [0, 1, pulls])
})

t.test('the platform that was asked for is fetched, no other (zot #2122)', async t => {
  const both = multiPlatformImage({ seed: 'one platform' })
  hub.push('library/one', both, 'latest')
  const [amd64] = both.manifests
  await get(cache.url('manifests/latest', 'one'))
  await get(cache.url(`manifests/${amd64?.digest ?? ''}`, 'one'))
  t.strictSame(hub.seen('GET', MANIFEST).map(({ path }) => path), ['/v2/library/one/manifests/latest', `/v2/library/one/manifests/${amd64?.digest ?? ''}`])
})

t.test('an expired signed URL is resolved again', async t => {
  const signed = image({ seed: 'signed' })
  hub.push('library/signed', signed, 'latest')
  const [layer = ''] = layerDigests(signed)
  hub.cdn.on('GET').once(cut({ after: 0.5 }))
  hub.cdn.on('GET').once(() => { hub.cdn.expire(); return { status: 403, headers: {}, body: Buffer.from('<Error/>') } })
  t.match(await download(cache.url(`blobs/${layer}`, 'signed')), { complete: true, sha256: layer.slice(7) })
})

t.test('no signed URL in the log', async t => {
  t.notMatch(JSON.stringify(cache.entrepot.logs), /signature=/)
})

t.test('the limit is reached: what is cached is served, what is not is an honest 429', async t => {
  const known = image({ seed: 'known' })
  hub.push('library/known', known, 'latest')
  await get(cache.url('manifests/latest', 'known'))
  hub.push('library/known', image({ seed: 'moved' }), 'latest')
  hub.pulls = 0
  const stale = await get(cache.url('manifests/latest', 'known'))
  t.match([stale.status, outcome(stale), stale.body.equals(known.bytes)], [200, 'stale', true])
  hub.forget()
  const refused = await get(cache.url('manifests/other', 'known'))
  t.match([refused.status, errorCode(refused)], [429, 'TOOMANYREQUESTS'])
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal(hub.requests.length, 0, 'and the registry is left alone')
})
