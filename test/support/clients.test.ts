import t, { type Test } from 'tap'
import { containerd, docker, podman, skopeo, skopeoCopy, type Client } from './clients.ts'
import { dockerRegistry, type DockerRegistry } from './docker-registry.ts'
import { image, multiPlatformImage } from './image.ts'
import { needs, needsRoot } from './peers.ts'

/** Every client pulls for real, each time, and says what it got and what went wrong. */
async function pullsForReal(t: Test, client: Client, registry: DockerRegistry): Promise<void> {
  const indexed = multiPlatformImage({ busybox: true })
  const single = image({ busybox: true, docker: true })
  await registry.push('a/index', indexed, 'v1')
  await registry.push('a/single', single, 'v1')
  const amd64 = indexed.manifests[0]?.digest
  const known = (digests: string[]): boolean => digests.some(digest => digest === indexed.digest || digest === amd64)
  for (const round of ['first', 'second']) {
    registry.forget()
    const { digests } = await client.pull(`${registry.host}/a/index:v1`)
    t.ok(known(digests), `${round}: ${digests.join(' ')}`)
    t.equal(registry.count('GET', /blobs/), 2, `${round}: config and layer come over the wire`)
  }
  t.ok(known((await client.pull(`${registry.host}/a/index@${indexed.digest}`)).digests), 'by digest')
  t.same((await client.pull(`${registry.host}/a/single:v1`)).digests, [single.digest])
  await t.rejects(client.pull(`${registry.host}/a/single:none`), { message: /not found|unknown/ })
}

t.test('skopeo', async t => {
  if (!needs(t, 'docker-registry', 'skopeo')) return
  const registry = await dockerRegistry(t)
  await pullsForReal(t, skopeo(t), registry)
  const indexed = multiPlatformImage()
  await registry.push('a/all', indexed, 'v1')
  t.same((await skopeoCopy(t, `${registry.host}/a/all:v1`, { all: true })).digests, [indexed.digest])
})

t.test('podman', async t => {
  if (!needs(t, 'docker-registry', 'podman') || !needsRoot(t)) return
  await pullsForReal(t, podman(t), await dockerRegistry(t))
})

t.test('ctr', async t => {
  if (!needs(t, 'docker-registry', 'containerd', 'ctr') || !needsRoot(t)) return
  const registry = await dockerRegistry(t)
  const client = await containerd(t)
  await pullsForReal(t, client, registry)
  const mirrored = image()
  await registry.push('hub/library/x', mirrored, 'v1')
  client.hosts('docker.io', `
server = "http://127.0.0.1:1"
[host."${registry.url}/v2/hub"]
  capabilities = ["pull", "resolve"]
  override_path = true
`)
  t.same((await client.pull('docker.io/library/x:v1')).digests, [mirrored.digest])
})

t.test('docker', async t => {
  if (!needs(t, 'docker-registry', 'dockerd', 'docker') || !needsRoot(t)) return
  await pullsForReal(t, await docker(t), await dockerRegistry(t))
})

t.test('credentials reach the registry', async t => {
  if (!needs(t, 'docker-registry', 'htpasswd', 'skopeo', 'podman', 'containerd', 'dockerd') || !needsRoot(t)) return
  const pushed = image({ busybox: true })
  for (const auth of ['htpasswd', 'token'] as const) {
    const registry = await dockerRegistry(t, { auth })
    await registry.push('a/b', pushed, 'v1')
    const { credentials } = registry
    for (const [name, client] of Object.entries({ skopeo: skopeo(t), podman: podman(t), ctr: await containerd(t), docker: await docker(t) })) {
      await t.rejects(client.pull(`${registry.host}/a/b:v1`), `${auth}: ${name} without credentials`)
      t.same((await client.pull(`${registry.host}/a/b:v1`, { credentials })).digests, [pushed.digest], `${auth}: ${name}`)
    }
  }
})
