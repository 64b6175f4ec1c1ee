import t from 'tap'
import { dockerRegistry } from './docker-registry.ts'
import { get, head, json } from './http.ts'
import { artifact, image, multiPlatformImage, nestedIndex } from './image.ts'

t.test('plain: pushed content comes back, tags move and go, stop and start keep the data', async t => {
  const registry = await dockerRegistry(t)
  const [first, second] = [multiPlatformImage({ docker: true }), nestedIndex()]
  await registry.push('a/b', first, 'v1')
  await registry.push('a/b', second)
  await registry.push('a/artifact', artifact(), 'v1')
  t.equal(registry.requests.length, 0, 'pushes are not counted')
  const url = `${registry.url}/v2/a/b/manifests/v1`
  const accept = { headers: { accept: `${first.mediaType}, ${second.mediaType}` } }
  t.ok((await get(url, accept)).body.equals(first.bytes))
  await registry.tag('a/b', 'v1', second)
  t.equal((await head(url, accept)).headers['docker-content-digest'], second.digest)
  t.same(registry.requests, [
    { method: 'GET', path: '/v2/a/b/manifests/v1', status: 200 }, { method: 'HEAD', path: '/v2/a/b/manifests/v1', status: 200 },
  ])
  await registry.stop()
  await t.rejects(get(url), { code: 'ECONNREFUSED' })
  await registry.start()
  registry.forget()
  t.equal((await get(url, accept)).status, 200)
  t.equal(registry.count('GET', /manifests/), 1)
  await registry.deleteTag('a/b', 'v1')
  t.equal((await get(url, accept)).status, 404)
})

t.test('htpasswd', async t => {
  const registry = await dockerRegistry(t, { auth: 'htpasswd' })
  const pushed = image()
  await registry.push('a', pushed, 'v1')
  const url = `${registry.url}/v2/a/manifests/${pushed.digest}`
  t.match(await get(url), { status: 401, headers: { 'www-authenticate': /^Basic/ } })
  const { username, password } = registry.credentials
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  t.equal((await get(url, { headers: { authorization, accept: pushed.mediaType } })).status, 200)
})

t.test('token', async t => {
  const registry = await dockerRegistry(t, { auth: 'token' })
  const pushed = image()
  await registry.push('a/b', pushed, 'v1')
  const url = `${registry.url}/v2/a/b/manifests/v1`
  const { headers } = await get(url)
  const [, realm = '', service = '', scope = ''] = /^Bearer realm="(.+)",service="(.+)",scope="(.+)"/.exec(headers['www-authenticate'] ?? '') ?? []
  t.equal(scope, 'repository:a/b:pull')
  const { username, password } = registry.credentials
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  t.equal((await get(`${realm}?service=${service}&scope=${scope}`)).status, 401)
  const { token } = json(await get(`${realm}?service=${service}&scope=${scope}`, { headers: { authorization: basic } })) as { token: string }
  t.equal((await get(url, { headers: { authorization: `Bearer ${token}`, accept: pushed.mediaType } })).status, 200)
})

t.test('as a pull-through cache', async t => {
  const upstream = await dockerRegistry(t)
  const cache = await dockerRegistry(t, { remoteUrl: upstream.url, counted: false })
  const pushed = image()
  await upstream.push('a/b', pushed, 'v1')
  t.equal((await get(`${cache.url}/v2/a/b/manifests/v1`, { headers: { accept: pushed.mediaType } })).status, 200)
  t.ok(upstream.count('GET', /manifests/) > 0)
})
