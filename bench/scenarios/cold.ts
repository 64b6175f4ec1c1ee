import type { Digest } from '../../lib/oci/digest.ts'
import { measure } from '../measure.ts'
import { dockerRegistry, entrepot } from '../servers/caches.ts'
import { megabytesPerSecond, pull, sampleOf, throughput } from './blobs.ts'
import { MIB, type Scenario } from './scenario.ts'

/** One client pulls a blob that the cache does not have. Upstream itself beside it: the floor of the first byte. */
export const cold: Scenario = async (t, { drain, upstream, sizes, settleDisk, nodeOptions }) => {
  const size = sizes.blob
  const servers = [await entrepot(t, upstream.url, { nodeOptions }), await dockerRegistry(t, upstream.url), upstream]
  let current: { round: number; digest: Digest } | undefined
  return [await measure({
    title: `cold, 1 client, ${size / MIB} MiB`,
    figures: [throughput, { name: 'first byte', unit: 'ms', better: 'less' }],
    work: 'GiB',
  }, servers, sizes.rounds, {
    async prepare(round) {
      if (current?.round !== round) current = { round, digest: await upstream.blob(size) }
      await settleDisk(2 * size)
    },
    async sample(server, round) {
      const drained = await pull(drain, server, current?.digest ?? '', size, round, { connections: 1, times: 1 })
      return sampleOf(drained, megabytesPerSecond(drained), drained.firstBytes[0] ?? NaN)
    },
  })]
}
