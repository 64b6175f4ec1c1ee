import { measure, type Measured } from '../measure.ts'
import { dockerRegistry, entrepot } from '../servers/caches.ts'
import { startSlowLine } from '../servers/slow-line.ts'
import { pull, sampleOf } from './blobs.ts'
import { MIB, type Scenario } from './scenario.ts'

/** Bytes a second of the line to upstream. */
const LINE = 100 * MIB

/** One client, and sixteen at once, pull a blob that the cache does not have, over a line of 100 MiB/s that all fetches share. */
export const herd: Scenario = async (t, { drain, upstream, sizes, settleDisk, nodeOptions }) => {
  const size = sizes.herdBlob
  const line = await startSlowLine(t, upstream.url, LINE)
  const servers = [await entrepot(t, line.url, { nodeOptions }), await dockerRegistry(t, line.url)]
  const measured: Measured[] = []
  let digest = ''
  for (const connections of [1, 16]) {
    measured.push(await measure({
      title: `herd, ${connections} cold client${connections > 1 ? 's' : ''}, ${size / MIB} MiB over ${LINE / MIB} MiB/s`,
      figures: [
        { name: 'until the last has it', unit: 's', better: 'less' },
        { name: 'upstream blob GETs', unit: '', better: 'less' },
        { name: 'upstream sent', unit: 'MiB', better: 'less' },
      ],
      work: 'GiB',
    }, servers, sizes.rounds, {
      async prepare() {
        digest = await upstream.blob(size)
        await settleDisk(2 * size)
      },
      async sample(server, round) {
        line.forget()
        const drained = await pull(drain, server, digest, size, round, { connections, times: 1 })
        await line.quiet()
        return sampleOf(drained, drained.seconds, line.blobGets, line.blobBytes / MIB)
      },
    }))
  }
  return measured
}
