import { digestOf } from '../../lib/oci/digest.ts'
import { get } from '../../test/support/http.ts'
import { image, type Image } from '../../test/support/image.ts'
import type { LoadTool } from '../load/rate.ts'
import { measure, type Measured, type Sample, type Sampler } from '../measure.ts'
import { bareServer } from '../servers/bare-server.ts'
import { dockerRegistry, entrepot } from '../servers/caches.ts'
import type { Server } from '../servers/server.ts'
import type { Bench, Scenario } from './scenario.ts'

const CONNECTIONS = 16
/** Pulled in turn, so that two requests for one tag are rarely under way at once: joined ones would cost upstream nothing. */
const TAGS = Array.from({ length: 64 }, (_, number) => `v${number}`)

/**
 * One manifest, as often as may be. Beside it Node's own HTTP, answering the same bytes to everything; another such is
 * upstream, as a real registry answers HEADs more slowly than entrepot asks.
 */
export const manifests: Scenario = async (t, bench) => {
  const made = image({ layers: Array.from({ length: 8 }, () => 1024) })
  const bare = await bareServer(t, made)
  const upstream = new URL((await bareServer(t, made)).repository).origin
  const caches = async (freshness: string): Promise<Server[]> => [
    await entrepot(t, upstream, { project: { freshness }, nodeOptions: bench.nodeOptions }), await dockerRegistry(t, upstream),
  ]
  return [
    await rate(bench, made, 'by digest', [made.digest], await caches('1h'), bare),
    await rate(bench, made, 'by tag, fresh', TAGS, await caches('1h'), bare),
    await rate(bench, made, 'by tag, revalidated', TAGS, await caches('0s'), bare),
  ]
}

function rate({ load, sizes }: Bench, made: Image, how: string, references: readonly string[], servers: readonly Server[], bare: Server): Promise<Measured> {
  return measure({
    title: `manifest ${how}, ${CONNECTIONS} connections`,
    figures: [{ name: 'rate', unit: 'requests/s', better: 'more' }, { name: 'p99', unit: 'ms', better: 'less' }],
    work: 'request',
  }, [...servers, bare], sizes.rounds, sampler(load, made, references, sizes.seconds))
}

function sampler(load: LoadTool, made: Image, references: readonly string[], seconds: number): Sampler {
  return {
    async sample(server, round) {
      if (round === 0) await check(server, made, references)
      return request(load, server, made, references, seconds)
    },
  }
}

async function request(load: LoadTool, server: Server, { mediaType }: Image, references: readonly string[], seconds: number): Promise<Sample> {
  const { origin, pathname } = new URL(server.repository)
  const paths = references.map(reference => `${pathname}manifests/${reference}`)
  const { requests, seconds: took, p99, errors } = await load.measure({ origin, paths, accept: mediaType, connections: CONNECTIONS, seconds })
  if (errors > 0) throw new Error(`${server.name}: ${errors} of ${requests} requests failed`)
  return { values: [requests / took, p99], work: requests }
}

async function check(server: Server, { digest, mediaType }: Image, references: readonly string[]): Promise<void> {
  for (const reference of references) {
    const url = `${server.repository}manifests/${reference}`
    const { status, body } = await get(url, { headers: { accept: mediaType } })
    if (status !== 200 || digestOf(body) !== digest) throw new Error(`${server.name}: GET ${url}: ${status}, ${digestOf(body)}`)
  }
}
