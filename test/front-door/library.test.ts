import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createEntrepot, loadConfig } from '../../lib/index.ts'
import { get } from '../support/http.ts'
import { image } from '../support/image.ts'
import { scriptedUpstream } from '../support/scripted-upstream.ts'

t.test('as middleware in somebody\'s server: it answers what is its own, and calls next() for the rest', async t => {
  const upstream = await scriptedUpstream(t)
  const pulled = image({ seed: 'library' })
  upstream.push('library/x', pulled, 'latest')
  const file = `${t.testdir({})}/config.yaml`
  writeFileSync(file, `log: { level: silent }\nstorage: { directory: ./data }\nendpoints: { up: { type: docker-registry, url: "${upstream.url}" } }\nprojects: { p: { endpoint: up } }\n`)
  const cache = await createEntrepot(await loadConfig(file))
  const server = createServer((request, response) => {
    cache.middleware(request, response, () => { response.writeHead(418).end('theirs') })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    t.ok((await get(`${base}/v2/p/library/x/manifests/latest`)).body.equals(pulled.bytes))
    t.equal((await get(`${base}/v2/`)).status, 200)
    for (const path of ['/', '/index.html', '/api/v2/pets', '/api/v2/x/../y', '/other/v2/']) t.equal((await get(base + path)).status, 418, path)
  } finally {
    server.close()
    await cache.close()
  }
})
