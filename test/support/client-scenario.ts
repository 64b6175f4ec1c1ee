import type { Test } from 'tap'
import type { Client } from './clients.ts'
import { dockerRegistry, type DockerRegistry } from './docker-registry.ts'
import { startEntrepot, type Entrepot } from './entrepot.ts'
import { image, multiPlatformImage, type Image } from './image.ts'
import { needs, type Peer } from './peers.ts'

const AUTHS = ['none', 'htpasswd', 'token'] as const

const MANIFESTS_AND_BLOBS = /\/(manifests|blobs)\//

/** The life of an image, as a real client sees it through entrepot in front of a real docker-registry of each kind of authentication. */
export async function clientScenario(t: Test, peer: Peer[], start: (t: Test) => Promise<Client> | Client): Promise<void> {
  if (!needs(t, 'docker-registry', ...peer)) return
  const client = await start(t)
  for (const auth of AUTHS) await t.test(`upstream authentication: ${auth}`, async t => life(t, client, await stage(t, auth)))
}

interface Stage {
  registry: DockerRegistry
  entrepot: Entrepot
  /** What the client pulls. */
  image(reference: string): string
}

async function stage(t: Test, auth: (typeof AUTHS)[number]): Promise<Stage> {
  const registry = await dockerRegistry(t, { auth })
  const credentials = auth === 'none' ? {} : {
    credentials: { username: registry.credentials.username, password: { env: 'UPSTREAM_PASSWORD' } },
  }
  const entrepot = await startEntrepot(t, {
    env: { UPSTREAM_PASSWORD: registry.credentials.password },
    config: {
      endpoints: { up: { type: 'docker-registry', url: registry.url, ...credentials } },
      projects: { p: { endpoint: 'up' } },
    },
  })
  return { registry, entrepot, image: reference => `${entrepot.host}/p/team/app${reference}` }
}

async function life(t: Test, client: Client, { registry, entrepot, image: named }: Stage): Promise<void> {
  const gives = async (what: string, reference: string, expected: Image): Promise<void> => {
    const { digests } = await client.pull(named(reference))
    t.ok(expected.manifests.some(({ digest }) => digests.includes(digest)), what)
  }
  const [first, second, index] = [image({ layers: [300_000, 1000] }), image(), multiPlatformImage()]
  await registry.push('team/app', first, 'latest')
  await registry.push('team/app', index, 'multi')

  await gives('cold', ':latest', first)
  registry.forget()
  await gives('warm', ':latest', first)
  t.equal(registry.count('GET', MANIFESTS_AND_BLOBS), 0, 'warm: no GET upstream')
  t.ok(registry.count('HEAD', MANIFESTS_AND_BLOBS) > 0, 'warm: but upstream was asked')

  await registry.push('team/app', second, 'latest')
  await gives('the tag has moved: the new image', ':latest', second)
  await gives('an index', ':multi', index)

  await registry.stop()
  await gives('upstream stopped: the image again, by tag', ':latest', second)
  await gives('by digest', `@${second.digest}`, second)
  await gives('an index by tag', ':multi', index)
  await gives('an index by digest', `@${index.digest}`, index)
  await entrepot.restart()
  await gives('entrepot restarted with upstream stopped: the image again', ':latest', second)
  await gives('and the index', ':multi', index)

  await registry.start()
  await entrepot.logged(({ msg }) => /answers again/.test(msg), 35_000)
  await registry.deleteTag('team/app', 'latest')
  await t.rejects(client.pull(named(':latest')), /unknown|not found/i, 'deleted upstream: not found')
  t.notOk(entrepot.logs.some(line => JSON.stringify(line).includes(registry.credentials.password)), 'no password in the log')
}
