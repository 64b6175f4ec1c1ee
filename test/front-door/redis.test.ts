import t from 'tap'
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
