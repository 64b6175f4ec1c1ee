import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun, run } from '../../test/support/processes.ts'
import { temporaryDirectory } from '../../test/support/temporary.ts'
import type { Teardown } from '../../test/support/upstream/server.ts'

/** So many connections that each ask for one path after the other, in turn, for so many seconds. */
export interface RateJob {
  origin: string
  paths: readonly string[]
  accept: string
  connections: number
  seconds: number
}

export interface Rate {
  /** Answers that came. */
  requests: number
  seconds: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Answers that are no 200, and connections that broke. */
  errors: number
}

export interface LoadTool {
  name: string
  measure(job: RateJob): Promise<Rate>
}

/** wrk where it is installed; else a loop of our own, which is slower than the fastest servers, and then says less than they can. */
export async function loadTool(t: Teardown): Promise<LoadTool> {
  const version = await run('wrk', ['--version']).then(({ stdout, stderr }) => /^wrk \S+/.exec(stdout + stderr)?.[0], () => undefined)
  if (version === undefined) return { name: 'own loop (wrk is not installed)', measure: measureWithLoop }
  const script = join(temporaryDirectory(t, 'bench-wrk'), 'script.lua')
  return { name: version, measure: job => measureWithWrk(script, job) }
}

async function measureWithWrk(script: string, job: RateJob): Promise<Rate> {
  writeFileSync(script, lua(job.paths))
  const output = await mustRun('wrk', [
    '-t1', `-c${job.connections}`, `-d${job.seconds}s`, '-H', `Accept: ${job.accept}`, '-s', script, job.origin,
  ], { deadline: (job.seconds + 20) * 1000 })
  const [line] = /^\{"requests".*$/m.exec(output) ?? []
  if (line === undefined) throw new Error(`wrk said no figures:\n${output}`)
  return JSON.parse(line) as Rate
}

function lua(paths: readonly string[]): string {
  return `
local paths = { ${paths.map(path => `'${path}'`).join(', ')} }
local requests, turn = {}, 0
function init()
  for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\\n', summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
`
}

async function measureWithLoop(job: RateJob): Promise<Rate> {
  const loop = fileURLToPath(new URL('loop.ts', import.meta.url))
  const output = await mustRun(process.execPath, [...process.execArgv, loop, JSON.stringify(job)], { deadline: (job.seconds + 20) * 1000 })
  return JSON.parse(output) as Rate
}
