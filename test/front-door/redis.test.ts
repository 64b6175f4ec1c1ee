import t from 'tap'
import type { Digest } from '../../lib/oci/digest.ts'
import { cacheOf, outcome, REPOSITORY } from '../support/cache.ts'
import { download, get } from '../support/http.ts'
import { image, layerDigests } from '../support/image.ts'
import { needs } from '../support/peers.ts'
import { run } from '../support/processes.ts'
import { redisServer } from '../support/redis.ts'
import { scriptedUpstream } from '../support/scripted-upstream.ts'

t.test('docker-registry-boshrelease #16: with Redis, without it, and with it again, pulls go on', async t => {
  if (!needs(t, 'redis-server')) return
  const redis = await redisServer(t)
  const upstream = await scriptedUpstream(t)
  const pulled = image({ seed: 'redis' })
  upstream.push(REPOSITORY, pulled, 'latest')
  const [layer = ''] = layerDigests(pulled)
  const cache = await cacheOf(t, upstream, { config: { redis: { url: redis.url, keyPrefix: 'test:' } } })

  const pull = async (how: string): Promise<void> => {
    const manifest = await cache.get('manifests/latest')
    t.match([manifest.status, outcome(manifest)], [200, how], how)
    t.ok(manifest.body.equals(pulled.bytes))
    t.match(await download(cache.url(`blobs/${layer}`)), { complete: true, sha256: layer.slice(7) })
  }
  await pull('miss')
  await pull('revalidated')
  const { stdout } = await run('redis-cli', ['-p', String(redis.port), '--scan'])
  t.match(stdout, /^test:[0-9a-f-]{36}:/m, 'records are hot in Redis, under the prefix and the directory\'s id')

  await redis.stop()
  await pull('revalidated')
  await cache.entrepot.logged(({ msg }) => /redis does not answer/.test(msg))
  await cache.entrepot.restart()
  await pull('revalidated')
  await redis.start()
  await pull('revalidated')
  await upstream.stop()
  await pull('stale')
  t.equal((await get(cache.url(`manifests/${pulled.digest}`))).status, 200)
})

t.test('whatever stands under our keys in Redis: no crash, no error, no wrong byte', async t => {
  if (!needs(t, 'redis-server')) return
  const redis = await redisServer(t)
  const upstream = await scriptedUpstream(t)
  const pulled = image({ seed: 'garbage' })
  upstream.push(REPOSITORY, pulled, 'latest')
  const [layer = ''] = layerDigests(pulled)
  const cache = await cacheOf(t, upstream, { config: { redis: { url: redis.url } } })
  const paths = ['manifests/latest', `manifests/${pulled.digest}`, `blobs/${layer}`]
  for (const path of [...paths, 'manifests/nowhere']) await cache.get(path)
  const cli = (...args: string[]): Promise<{ stdout: string }> => run('redis-cli', ['-p', String(redis.port), ...args])
  const keys = (await cli('--scan')).stdout.split('\n').filter(key => key !== '')
  t.ok(keys.some(key => key.includes('negative:')) && keys.some(key => key.includes('content:')))
  for (const garbage of ['not json', '{}', 'null', '[]', '{"mediaType":"a/b","tag":"latest","digest":"sha256:0","confirmedAt":1}']) {
    for (const key of keys) await cli('set', key, garbage)
    for (const path of paths) {
      const answered = await cache.get(path)
      t.equal(answered.status, 200, `${garbage}: ${path}`)
      t.ok(answered.body.equals(path === paths[2] ? pulled.blobs.get(layer as Digest) ?? Buffer.alloc(0) : pulled.bytes), 'the very bytes')
    }
    t.equal((await cache.get('manifests/nowhere')).status, 404)
  }
})
