import { cpuSeconds, forgetPeak, peakMemory, settled } from './process-cost.ts'
import type { Server } from './servers/server.ts'

/** A number that is taken each round. */
export interface Figure {
  name: string
  unit: string
  better: 'more' | 'less'
}

/** What one server did in one round. */
export interface Sample {
  /** In the order of the measurement's figures. */
  values: number[]
  /** How much it was, in the measurement's `work`: what its CPU time is divided by. */
  work: number
}

export interface Measurement {
  title: string
  figures: readonly Figure[]
  /** CPU time is given per GiB served, or per request. */
  work: 'GiB' | 'request'
}

export interface Result {
  server: string
  samples: Sample[]
  /** Of user and system, in all timed rounds, until the server was quiet again. */
  cpuSeconds: number
  /** Bytes, the most since the server's start or the measurement's, as the kernel allows. */
  peakMemory: number
}

export interface Measured extends Measurement {
  results: Result[]
}

/**
 * The servers in turn, round after round, so that what else the machine does hits all alike. Round 0 is not counted: it
 * warms up, and checks what comes.
 */
export async function measure(measurement: Measurement, servers: readonly Server[], rounds: number, { prepare, sample }: Sampler): Promise<Measured> {
  for (const { pid } of servers) forgetPeak(pid)
  const results = servers.map((server): Result => ({ server: server.name, samples: [], cpuSeconds: 0, peakMemory: 0 }))
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, server] of servers.entries()) {
      await prepare?.(round)
      const before = cpuSeconds(server.pid)
      const taken = await sample(server, round)
      await settled(server.pid)
      if (round > 0) add(results[index], taken, cpuSeconds(server.pid) - before)
    }
  }
  for (const [index, { pid }] of servers.entries()) Object.assign(results[index] ?? {}, { peakMemory: peakMemory(pid) })
  return { ...measurement, results }
}

export interface Sampler {
  /** What is not to be in the figures. */
  prepare?(round: number): Promise<unknown>
  /** @throws where something broke: a wrong digest, a pull that failed */
  sample(server: Server, round: number): Promise<Sample>
}

function add(result: Result | undefined, sample: Sample, seconds: number): void {
  if (result === undefined) return
  result.samples.push(sample)
  result.cpuSeconds += seconds
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2 : sorted[Math.floor(middle)] ?? NaN
}

/** The median of one figure. */
export function typical(result: Result, figure: number): number {
  return median(result.samples.map(({ values }) => values[figure] ?? NaN))
}

/** Seconds of CPU per GiB, or per request. */
export function cost({ samples, cpuSeconds: seconds }: Result): number {
  return seconds / samples.reduce((sum, { work }) => sum + work, 0)
}
