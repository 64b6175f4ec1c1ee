import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { startDrainer } from './load/drainer.ts'
import { loadTool } from './load/rate.ts'
import { describeMachine } from './machine.ts'
import type { Measured } from './measure.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { markdownTable, plainTable, preface, rows } from './report.ts'
import { SCENARIOS, type ScenarioName } from './scenarios/index.ts'
import { diskSettler } from './settle-disk.ts'
import { startUpstream } from './servers/upstream.ts'
import type { Teardown } from '../test/support/upstream/server.ts'
import { endAll, withTeardown } from './teardown.ts'

const stopped = new AbortController()
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  process.once(signal, () => {
    stopped.abort()
    void endAll().finally(() => process.exit(code))
  })
}

try {
  const options = parseOptions(process.argv.slice(2), Object.keys(SCENARIOS) as ScenarioName[])
  if (options === 'help') console.log(USAGE)
  else await run(options, stopped.signal)
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}

/** A scenario that breaks costs the exit code, and not the others' figures. */
async function run(options: Options, signal: AbortSignal): Promise<void> {
  const machine = await describeMachine()
  if (machine.load > 0.5) console.error(`The machine is busy (load ${machine.load.toFixed(1)}): the figures will not be worth much.`)
  const measured: Measured[] = []
  const tools = new Set<string>()
  for (const name of options.only) {
    const began = performance.now()
    const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`
    try {
      measured.push(...await withTeardown(t => scenario(t, name, options, tools)))
      console.error(`${name}: done in ${seconds()}`)
    } catch (error) {
      if (signal.aborted) return
      console.error(`${name}: broken after ${seconds()}:`, error)
      process.exitCode = 1
    }
  }
  const table = rows(measured)
  console.log(`\n${preface(machine, options.sizes.rounds, [...tools])}\n\n${options.markdown ? markdownTable(table) : plainTable(table)}`)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, sizes: options.sizes, measured }, null, 2)}\n`)
}

async function scenario(t: Teardown, name: ScenarioName, options: Options, tools: Set<string>): Promise<Measured[]> {
  const load = await loadTool(t)
  tools.add(load.name)
  return SCENARIOS[name](t, {
    drain: startDrainer(t), load, upstream: await startUpstream(t), settleDisk: diskSettler(t), sizes: options.sizes, nodeOptions: profiling(options),
  })
}

function profiling({ profile }: Options): string[] {
  if (profile === undefined) return []
  mkdirSync(profile, { recursive: true })
  return ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
}
