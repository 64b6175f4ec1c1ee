import { parseArgs } from 'node:util'
import type { ScenarioName } from './scenarios/index.ts'
import { MIB } from './scenarios/scenario.ts'

/** How much of everything. */
export interface Sizes {
  rounds: number
  /** Bytes. */
  blob: number
  herdBlob: number
  /** Of requests for manifests, a round; whole ones, as wrk wants them. */
  seconds: number
}

export interface Options {
  sizes: Sizes
  only: ScenarioName[]
  /** Where the raw numbers go. */
  json?: string
  markdown: boolean
  /** A directory for CPU profiles of entrepot. */
  profile?: string
}

const FULL: Sizes = { rounds: 5, blob: 200 * MIB, herdBlob: 100 * MIB, seconds: 2 }
const QUICK: Sizes = { rounds: 1, blob: 32 * MIB, herdBlob: 8 * MIB, seconds: 1 }

export const USAGE = `npm run bench -- [options]

  --only LIST      of cold, warm, herd, manifests; default all
  --rounds N       default ${FULL.rounds}; the figures are medians
  --quick          one round, small blobs: to see that it runs, not how fast
  --json FILE      the raw numbers
  --markdown       the table as docs/benchmarks.md has it
  --profile DIR    CPU profiles of entrepot, one a process; its figures are then not to be used

TMPDIR says where the servers keep their data.`

/** @throws TypeError, with a message for the user */
export function parseOptions(argv: readonly string[], known: readonly ScenarioName[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' }, rounds: { type: 'string' }, quick: { type: 'boolean' }, json: { type: 'string' },
      markdown: { type: 'boolean' }, profile: { type: 'string' }, help: { type: 'boolean' },
    },
  })
  if (values.help === true) return 'help'
  const sizes = values.quick === true ? QUICK : FULL
  return {
    sizes: { ...sizes, ...(values.rounds !== undefined && { rounds: positive(values.rounds) }) },
    only: values.only === undefined ? [...known] : values.only.split(',').map(name => scenarioName(name, known)),
    markdown: values.markdown ?? false,
    ...(values.json !== undefined && { json: values.json }),
    ...(values.profile !== undefined && { profile: values.profile }),
  }
}

function positive(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new TypeError(`--rounds ${text}: write a whole number above 0`)
}

function scenarioName(text: string, known: readonly ScenarioName[]): ScenarioName {
  const found = known.find(name => name === text.trim())
  if (found !== undefined) return found
  throw new TypeError(`--only ${text}: write some of ${known.join(', ')}`)
}
