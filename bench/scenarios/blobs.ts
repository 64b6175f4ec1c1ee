import type { Drained, DrainJob } from '../load/drain.ts'
import type { Drainer } from '../load/drainer.ts'
import type { Sample } from '../measure.ts'
import type { Server } from '../servers/server.ts'
import { GIB } from './scenario.ts'

/** So many pulls of a blob; in round 0, what comes is hashed. @throws unless all of it came, and in round 0 was right */
export async function pull(drain: Drainer, server: Server, digest: string, size: number, round: number, how: Pick<DrainJob, 'connections' | 'times'>): Promise<Drained> {
  const drained = await drain({ url: `${server.repository}blobs/${digest}`, ...how, check: round === 0 })
  const expected = size * how.connections * how.times
  if (drained.bytes !== expected) throw new Error(`${server.name}: ${drained.bytes} bytes of ${expected}`)
  const wrong = drained.sha256.find(sha256 => `sha256:${sha256}` !== digest)
  if (wrong !== undefined) throw new Error(`${server.name}: ${wrong} came for ${digest}`)
  return drained
}

export const throughput = { name: 'throughput', unit: 'MB/s', better: 'more' } as const

export function megabytesPerSecond({ bytes, seconds }: Drained): number {
  return bytes / seconds / 1e6
}

export function sampleOf(drained: Drained, ...values: number[]): Sample {
  return { values, work: drained.bytes / GIB }
}
