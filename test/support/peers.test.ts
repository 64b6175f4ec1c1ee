import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { certificates } from './certificates.ts'
import { forwardProxy } from './forward-proxy.ts'
import { get } from './http.ts'
import { needs, needsRoot } from './peers.ts'
import { redisServer } from './redis.ts'
import { scriptedUpstream } from './scripted-upstream.ts'
import { tmpfs } from './tmpfs.ts'

t.test('redis-server: up, down, back', async t => {
  if (!needs(t, 'redis-server')) return
  const server = await redisServer(t, { password: 'secret' })
  const client = new Redis(server.url, { password: 'secret', retryStrategy: () => 20 })
  t.teardown(() => client.disconnect())
  client.on('error', () => {})
  t.equal(await client.set('key', 'value'), 'OK')
  await server.stop()
  await server.start()
  t.equal(await client.get('key'), null)
})

t.test('certificates: a server that a client trusts, and that wants to know the client', async t => {
  if (!needs(t, 'openssl')) return
  const { ca, server, client } = await certificates(t)
  const upstream = await scriptedUpstream(t, {
    tls: { key: server.key.text, cert: server.cert.text, ca: ca.text, requestCert: true, rejectUnauthorized: true },
  })
  await t.rejects(get(`${upstream.url}/v2/`), { message: /certificate/ })
  await t.rejects(get(`${upstream.url}/v2/`, { ca: ca.text }), 'without a client certificate')
  t.equal((await get(`${upstream.url}/v2/`, { ca: ca.text, cert: client.cert.text, key: client.key.text })).status, 200)
})

t.test('a forward proxy', async t => {
  const upstream = await scriptedUpstream(t)
  const proxy = await forwardProxy(t)
  t.equal((await get(`${upstream.url}/v2/`)).status, 200)
  const { ProxyAgent, request } = await import('undici')
  for (const proxyTunnel of [true, false]) {
    const dispatcher = new ProxyAgent({ uri: proxy.url, proxyTunnel })
    const { statusCode, body } = await request(`${upstream.url}/v2/`, { dispatcher })
    t.equal(statusCode, 200)
    await body.dump()
    await dispatcher.close()
  }
  t.same(proxy.requests, [`CONNECT ${upstream.host}`, `GET ${upstream.url}/v2/`])
})

t.test('install-peers has nothing to do, or says what is missing', async t => {
  const script = fileURLToPath(new URL('../../scripts/install-peers.mjs', import.meta.url))
  if (!needs(t, 'docker-registry', 'skopeo', 'podman', 'containerd', 'dockerd', 'redis-server', 'busybox', 'htpasswd', 'openssl')) return
  t.equal(execFileSync(process.execPath, [script], { encoding: 'utf8' }), '')
})

t.test('a tmpfs is full when it is', async t => {
  if (!needsRoot(t)) return
  const directory = await tmpfs(t, 1 << 20)
  writeFileSync(join(directory, 'fits'), Buffer.alloc(1 << 19))
  t.throws(() => writeFileSync(join(directory, 'does not'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' })
})
