import { measure, type Measured } from '../measure.ts'
import { dockerRegistry, entrepot } from '../servers/caches.ts'
import { megabytesPerSecond, pull, sampleOf, throughput } from './blobs.ts'
import { MIB, type Scenario } from './scenario.ts'

/** Pulls per client and round: one alone is over before it says much. */
const TIMES: Record<number, number> = { 1: 4, 8: 1 }

/** Clients pull a blob that the cache has. */
export const warm: Scenario = async (t, { drain, upstream, sizes, nodeOptions }) => {
  const size = sizes.blob
  const servers = [await entrepot(t, upstream.url, { nodeOptions }), await dockerRegistry(t, upstream.url)]
  const digest = await upstream.blob(size)
  for (const server of servers) await pull(drain, server, digest, size, 0, { connections: 1, times: 1 })
  const measured: Measured[] = []
  for (const [connections, times] of Object.entries(TIMES)) {
    const how = { connections: Number(connections), times }
    measured.push(await measure({
      title: `warm, ${connections} client${how.connections > 1 ? 's' : ''}, ${size / MIB} MiB`, figures: [throughput], work: 'GiB',
    }, servers, sizes.rounds, {
      async sample(server, round) {
        const drained = await pull(drain, server, digest, size, round, how)
        return sampleOf(drained, megabytesPerSecond(drained))
      },
    }))
  }
  return measured
}
