import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digestParts, type Digest } from '../../lib/oci/digest.ts'
import { cacheOf, outcome, REPOSITORY, type Cache } from '../support/cache.ts'
import { download, downloads, get } from '../support/http.ts'
import { image, layerDigests, randomContent } from '../support/image.ts'
import { needsRoot } from '../support/peers.ts'
import { mustRun, run } from '../support/processes.ts'
import { cut, delay, flip, hold, refuse, scriptedUpstream, scriptedUpstreamWithTokens, slow, stall, type ScriptedUpstream } from '../support/scripted-upstream.ts'
import { tmpfs } from '../support/tmpfs.ts'

const BLOB = /\/blobs\//
const MiB = 1024 * 1024

function blobFile(cache: Cache, digest: Digest): string {
  const { hex } = digestParts(digest)
  return join(cache.entrepot.storage, 'blobs', 'sha256', hex.slice(0, 2), hex)
}

function partials(cache: Cache): string[] {
  return readdirSync(join(cache.entrepot.storage, 'partial'))
}

function ranges(upstream: ScriptedUpstream): (string | undefined)[] {
  return upstream.seen('GET', BLOB).map(({ headers }) => headers.range)
}

/** Bounded: the file system has no events to wait for. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (holds()) return
    await new Promise(resolve => { setTimeout(resolve, 10) })
  }
  throw new Error(`never: ${what}`)
}

t.test('distribution #4511, Harbor #22570: 16 clients on a cold blob cost one GET, and none waits for another', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const bytes = randomContent(100 * MiB, 'herd')
  const digest = upstream.addBlob(REPOSITORY, bytes)
  upstream.on('GET', BLOB).always(slow(40 * MiB))
  const pulls = await downloads(16, cache.url(`blobs/${digest}`))
  t.ok(pulls.every(({ complete, sha256 }) => complete && digest === `sha256:${sha256}`), 'every client\'s bytes are right')
  t.equal(upstream.count('GET', BLOB), 1)
  const began = upstream.seen('GET', BLOB)[0]?.at ?? NaN
  const first = pulls.map(({ firstByteAt }) => firstByteAt - began)
  t.ok(Math.max(...first) < 1000, `first bytes follow upstream's, long before the fill's end: ${Math.max(...first).toFixed()} ms`)
  t.ok(Math.min(...pulls.map(({ endedAt }) => endedAt)) - began > 2000, 'while the fill took its time')
})

t.test('distribution MultiWriter: half of the clients killed midway, the leader first; the rest and the cache are whole', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(20 * MiB, 'killed'))
  upstream.on('GET', BLOB).always(slow(20 * MiB))
  const leader = download(cache.url(`blobs/${digest}`), { abortAfter: 2 * MiB })
  await upstream.arrival('GET', BLOB)
  const followers = downloads(15, cache.url(`blobs/${digest}`), number => (number % 2 === 0 ? { abortAfter: (number + 1) * MiB } : {}))
  t.notOk((await leader).complete)
  const whole = (await followers).filter(({ complete }) => complete)
  t.equal(whole.length, 7)
  t.ok(whole.every(({ sha256 }) => digest === `sha256:${sha256}`))
  t.equal(upstream.count('GET', BLOB), 1)
  t.equal(outcome(await download(cache.url(`blobs/${digest}`))), 'hit')
})

t.test('zot #4345: all clients leave, and the fill goes on to its end', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(4 * MiB, 'abandoned'))
  upstream.on('GET', BLOB).once(slow(8 * MiB))
  await download(cache.url(`blobs/${digest}`), { abortAfter: 1000 })
  await until('the blob is stored', () => existsSync(blobFile(cache, digest)))
  t.equal(outcome(await download(cache.url(`blobs/${digest}`))), 'hit')
  t.equal(upstream.count('GET', BLOB), 1)
})

for (const after of [0.3, 0.6, 0.9]) {
  t.test(`upstream cuts at ${after * 100} %: the client's one GET completes, healed by a Range`, async t => {
    const upstream = await scriptedUpstream(t)
    const cache = await cacheOf(t, upstream)
    const bytes = randomContent(5 * MiB, `cut ${after}`)
    const digest = upstream.addBlob(REPOSITORY, bytes)
    upstream.on('GET', BLOB).once(cut({ after }))
    const pull = await download(cache.url(`blobs/${digest}`))
    t.match(pull, { status: 200, complete: true, sha256: digestParts(digest).hex })
    const [first, heal, ...more] = ranges(upstream)
    const from = Number(/^bytes=(\d+)-$/.exec(heal ?? '')?.[1])
    t.match([first, more], [undefined, []])
    // What lay in buffers when the connection broke is asked for again.
    t.ok(from <= bytes.length * after && from > bytes.length * after - 256 * 1024, `from where it broke: ${heal}`)
  })
}

t.test('a body that stalls is healed after the idle timeout, one that is cut again and again in the end', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream, { endpoint: { timeouts: { idle: '500ms' } } })
  const digest = upstream.addBlob(REPOSITORY, randomContent(MiB, 'stall'))
  upstream.on('GET', BLOB).once(stall({ after: 0.5 }))
  upstream.on('GET', BLOB).times(3, cut({ after: 100_000 }))
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
})

t.test('healed with a new token where the old one has run out meanwhile', async t => {
  const upstream = await scriptedUpstreamWithTokens(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(MiB, 'token'))
  upstream.on('GET', BLOB).once(cut({ after: 0.5 }))
  upstream.on('GET', BLOB).once(refuse(401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${upstream.tokens.realm}",service="x",error="invalid_token"` }))
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
  t.equal(upstream.tokens.count('GET', /token/), 2, 'one token at the start, one for the heal')
})

t.test('a flipped byte: the connection breaks before the end, nothing is stored, the next pull is right', async t => {
  for (const at of [0, 0.5, 0.999_999]) {
    const upstream = await scriptedUpstream(t)
    const cache = await cacheOf(t, upstream)
    const bytes = randomContent(MiB, `flip ${at}`)
    const digest = upstream.addBlob(REPOSITORY, bytes)
    upstream.on('GET', BLOB).once(flip({ at }))
    const pulls = await downloads(4, cache.url(`blobs/${digest}`))
    t.ok(pulls.every(({ complete, bytes: got }) => !complete && got < bytes.length), 'no client takes it for whole')
    t.notOk(existsSync(blobFile(cache, digest)))
    t.strictSame(partials(cache), [])
    t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
  }
})

t.test('crproxy: an error body with status 200 is not stored as the blob', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(1000, 'error body'))
  upstream.on('GET', BLOB).once(() => ({ status: 200, headers: {}, body: Buffer.from('{"errors":[]}') }))
  t.notOk((await get(cache.url(`blobs/${digest}`))).complete)
  t.ok((await get(cache.url(`blobs/${digest}`))).complete)
})

t.test('rpardini #157, zot #4357: kill -9 during a fill, restart: resumed by Range from where it was', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(8 * MiB, 'kill'))
  upstream.on('GET', BLOB).once(stall({ after: 0.5 }))
  const pull = download(cache.url(`blobs/${digest}`)).catch(() => undefined)
  const file = join(cache.entrepot.storage, 'partial', digest.replace(':', '-'))
  await until('half is written', () => existsSync(file) && statSync(file).size === 4 * MiB)
  await cache.entrepot.kill()
  await pull
  upstream.forget()
  await cache.entrepot.restart()
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
  t.strictSame(ranges(upstream), [`bytes=${4 * MiB}-`])
  await until('the blob is stored', () => existsSync(blobFile(cache, digest)))
  t.equal(statSync(blobFile(cache, digest)).size, 8 * MiB)
})

t.test('SIGTERM during a fill: what is written is kept, and resumed', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(4 * MiB, 'term'))
  upstream.on('GET', BLOB).once(stall({ after: 0.5 }))
  await download(cache.url(`blobs/${digest}`), { abortAfter: MiB })
  await cache.entrepot.restart()
  upstream.forget()
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
  t.match(ranges(upstream), [/^bytes=\d+-$/])
})

t.test('SIGTERM lets a pull in progress finish, and exits 0', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(2 * MiB, 'graceful'))
  upstream.on('GET', BLOB).once(slow(2 * MiB))
  const pull = download(cache.url(`blobs/${digest}`))
  await upstream.arrival('GET', BLOB)
  await cache.entrepot.stop()
  t.match(await pull, { complete: true, sha256: digestParts(digest).hex })
})

t.test('SIGTERM while a fill waits to ask upstream again, or asks: exits 0 at once, in order', async t => {
  for (const upstreamIs of ['gone', 'slow to answer']) {
    const upstream = await scriptedUpstream(t)
    const cache = await cacheOf(t, upstream)
    const digest = upstream.addBlob(REPOSITORY, randomContent(4 * MiB, upstreamIs))
    upstream.on('GET', BLOB).once(cut({ after: 0.5 }))
    upstream.on('GET', BLOB).always(delay(500), slow(MiB))
    await download(cache.url(`blobs/${digest}`), { abortAfter: 1 })
    if (upstreamIs === 'gone') await upstream.stop()
    else await upstream.arrival('GET', BLOB, 2)
    await cache.entrepot.logged(({ msg }) => /asking for the rest/.test(msg))
    await cache.entrepot.stop(3000)
    // An event loop that runs dry ends the process, too: without this line, and with code 13.
    t.ok(cache.entrepot.logs.some(({ msg }) => msg === 'stopped'), upstreamIs)
  }
})

t.test('a partial file that is wrong is thrown away, and costs one pull at the most', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const bytes = randomContent(MiB, 'damaged')
  const digest = upstream.addBlob(REPOSITORY, bytes)
  await cache.entrepot.kill()
  writeFileSync(join(cache.entrepot.storage, 'partial', digest.replace(':', '-')), randomContent(MiB / 2, 'other'))
  await cache.entrepot.restart()
  t.notOk((await download(cache.url(`blobs/${digest}`))).complete)
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex })
})

t.test('another repository\'s upstream failing is not ours: one fill, whoever can give it', async t => {
  const [bad, good] = [await scriptedUpstream(t), await scriptedUpstream(t)]
  const cache = await cacheOf(t, bad, {
    config: {
      endpoints: { up: { type: 'docker-registry', url: bad.url }, good: { type: 'docker-registry', url: good.url } },
      projects: { p: { endpoint: 'up' }, g: { endpoint: 'good' } },
    },
  })
  const shared = image({ seed: 'shared', layers: [MiB] })
  const [layer = shared.digest] = layerDigests(shared)
  for (const upstream of [bad, good]) upstream.push(REPOSITORY, shared, 'v1')
  const viaGood = `${cache.entrepot.url}/v2/g/${REPOSITORY}`
  await get(`${viaGood}/manifests/v1`)

  let release = (): void => undefined
  bad.on('GET', BLOB).once(hold(new Promise<void>(resolve => { release = resolve })), refuse(500))
  const failing = get(cache.url(`blobs/${layer}`))
  await bad.arrival('GET', BLOB)
  const joining = download(`${viaGood}/blobs/${layer}`)
  setTimeout(release, 100)
  t.equal((await failing).status, 503)
  t.match(await joining, { complete: true, sha256: digestParts(layer).hex }, 'opened elsewhere')

  const second = image({ seed: 'second', layers: [MiB] })
  const [other = second.digest] = layerDigests(second)
  for (const upstream of [bad, good]) upstream.push(REPOSITORY, second, 'v2')
  await get(`${viaGood}/manifests/v2`)
  bad.on('GET', BLOB).always(stall({ after: 0.5 }))
  const stalled = download(cache.url(`blobs/${other}`))
  const joined = await download(`${viaGood}/blobs/${other}`, { abortAfter: 1 })
  t.equal(joined.status, 200)
  await bad.stop()
  t.match(await stalled, { complete: true, sha256: digestParts(other).hex }, 'healed from the other upstream')
})

t.test('distribution #2374: a disk that fills up in mid-pull costs the copy, not the pull', async t => {
  if (!needsRoot(t)) return
  const directory = await tmpfs(t, 4 * MiB)
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream, { config: { storage: { directory } } })
  const digest = upstream.addBlob(REPOSITORY, randomContent(16 * MiB, 'full'))
  const pulls = await downloads(3, cache.url(`blobs/${digest}`))
  t.ok(pulls.every(({ complete, sha256 }) => complete && digest === `sha256:${sha256}`))
  t.notOk(existsSync(blobFile(cache, digest)))
  await until('the room is given back', () => partials(cache).length === 0)
  const small = image({ seed: 'small' })
  upstream.push(REPOSITORY, small, 'latest')
  t.equal((await cache.get('manifests/latest')).status, 200)
  t.match(await download(cache.url(`blobs/${layerDigests(small)[0] ?? ''}`)), { complete: true })

  await mustRun('mount', ['-o', 'remount,ro', directory])
  t.match(await download(cache.url(`blobs/${digest}`)), { complete: true, sha256: digestParts(digest).hex }, 'read-only')
  const range = await get(cache.url(`blobs/${digest}`), { headers: { range: 'bytes=-5' } })
  t.match([range.status, range.body.length], [206, 5])
  upstream.push(REPOSITORY, image({ seed: 'new' }), 'new')
  t.equal((await cache.get('manifests/new')).status, 200, 'a manifest, too')
  upstream.on('GET', BLOB).once(flip({ at: 0.5 }))
  t.notOk((await download(cache.url(`blobs/${digest}`))).complete, 'passed through is verified, too')
})

t.test('a file system that turns read-only in mid-fill, as ext4 does after an error, costs no more than the copy', async t => {
  if (!needsRoot(t)) return
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digests = ['right', 'wrong'].map(seed => upstream.addBlob(REPOSITORY, randomContent(MiB, seed)))
  const [right = '', wrong = ''] = digests
  upstream.on('GET', right).once(slow(2 * MiB))
  upstream.on('GET', wrong).once(flip({ at: 0.9 }), slow(2 * MiB))
  const pulls = digests.map(digest => download(cache.url(`blobs/${digest}`)))
  await until('both are being written', () => partials(cache).length === 2)
  const directory = join(cache.entrepot.storage, 'partial')
  await mustRun('mount', ['--bind', directory, directory])
  t.teardown(() => run('umount', ['--lazy', directory]))
  await mustRun('mount', ['-o', 'remount,bind,ro', directory])
  t.match(await Promise.all(pulls), [{ complete: true, sha256: right.slice(7) }, { complete: false }])
  t.match(await download(cache.url(`blobs/${right}`)), { complete: true, sha256: right.slice(7) }, 'pulls go on')
})

t.test('a client that leaves what is passed through ends its request upstream, and asks nothing more', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(20 * MiB, 'through'))
  rmSync(join(cache.entrepot.storage, 'partial'), { recursive: true })
  for (const headers of [{}, { range: 'bytes=5-' }]) {
    upstream.forget()
    await download(cache.url(`blobs/${digest}`), { headers, abortAfter: 1, bytesPerSecond: MiB })
    await until('upstream is hung up', () => upstream.seen('GET', BLOB).every(({ done }) => done))
    t.ok(upstream.seen('GET', BLOB).every(({ status }) => status < 300))
    t.equal(cache.entrepot.logs.filter(({ msg }) => /asking for the rest/.test(msg)).length, 0)
  }
})

t.test('the log tells a body that broke from a client that left', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(4 * MiB, 'why'))
  upstream.on('GET', BLOB).once(flip({ at: 0.5 }))
  await download(cache.url(`blobs/${digest}`))
  t.match(await cache.entrepot.logged(({ aborted }) => aborted === true), { level: 50, reason: /does not match its digest/ })
  await download(cache.url(`blobs/${digest}`), { abortAfter: 1 })
  t.match(await cache.entrepot.logged(({ aborted, level }) => aborted === true && level === 30), { reason: undefined })
})
