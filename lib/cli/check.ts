import { ConfigError, formatProblem, type Problem } from '../config/problem.ts'
import { readConfig, type ConfigAndWarnings } from '../config/load.ts'
import { DEFAULT_CONFIG_FILE, EXIT, type Command, type Io } from './command.ts'

/** Needs no network, and no secrets: it runs in CI, before the merge. */
export const check: Command = {
  summary: 'validate the configuration',
  usage: `check [--config FILE] [--json]

Validates the configuration, without network. FILE is ${DEFAULT_CONFIG_FILE} unless given.
Secrets that are not on this machine are warnings. Exits 0 where the file is valid, 1 where it is not.`,
  options: {
    config: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run({ values, positionals }, io) {
    if (positionals.length > 0) {
      io.err('entrepot check: name the file with --config FILE\n')
      return EXIT.wrongUsage
    }
    const file = typeof values['config'] === 'string' ? values['config'] : DEFAULT_CONFIG_FILE
    const result = await examine(file, io.env)
    const print = values['json'] === true ? printJson : printText
    print(result, file, io)
    return result.problems.length === 0 ? EXIT.done : EXIT.failed
  },
}

interface Result extends Partial<ConfigAndWarnings> {
  problems: readonly Problem[]
  warnings: Problem[]
}

async function examine(file: string, env: Io['env']): Promise<Result> {
  try {
    return { problems: [], ...await readConfig(file, { env, secrets: 'optional' }) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { problems: error.problems, warnings: [...error.warnings] }
  }
}

function printText({ problems, warnings, config }: Result, file: string, io: Io): void {
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`)
  for (const warning of warnings) io.err(`${formatProblem(warning, 'warning: ')}\n`)
  if (config !== undefined) {
    const { endpoints, projects } = config
    io.out(`${file}: valid, ${counted(endpoints, 'endpoint')}, ${counted(projects, 'project')}\n`)
  }
}

function printJson({ problems, warnings }: Result, _file: string, io: Io): void {
  io.out(`${JSON.stringify({ valid: problems.length === 0, problems, warnings }, null, 2)}\n`)
}

function counted(things: object, noun: string): string {
  const count = Object.keys(things).length
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
