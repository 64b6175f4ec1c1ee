import { Agent, request } from 'node:http'
import type { Rate, RateJob } from './rate.ts'

// `loop.ts JOB`: what wrk does, where there is none. Prints the Rate.

const job = JSON.parse(process.argv[2] ?? '') as RateJob
const agent = new Agent({ keepAlive: true, maxSockets: job.connections })
const latencies: number[] = []
let errors = 0
let turn = 0

const began = performance.now()
const end = began + job.seconds * 1000
await Promise.all(Array.from({ length: job.connections }, () => connection()))
agent.destroy()
latencies.sort((a, b) => a - b)
const rate: Rate = {
  requests: latencies.length, seconds: (performance.now() - began) / 1000, p50: percentile(0.5), p99: percentile(0.99), errors,
}
console.log(JSON.stringify(rate))

async function connection(): Promise<void> {
  while (performance.now() < end) {
    const asked = performance.now()
    const status = await get(job.paths[turn++ % job.paths.length] ?? '/').catch(() => 0)
    latencies.push(performance.now() - asked)
    if (status !== 200) errors += 1
  }
}

function get(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(job.origin, { path, agent, headers: { accept: job.accept } }, response => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0)).on('error', reject)
    }).on('error', reject).end()
  })
}

function percentile(part: number): number {
  return latencies[Math.floor(latencies.length * part)] ?? NaN
}
