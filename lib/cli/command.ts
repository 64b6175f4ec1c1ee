import type { ParseArgsConfig } from 'node:util'

/** Read where no `--config` is given, in the current directory. */
export const DEFAULT_CONFIG_FILE = 'entrepot.yaml'

/** One command of the command line; main.ts parses its arguments. */
export interface Command {
  /** One line, for the list of commands. */
  summary: string
  /** What follows `entrepot`, and what it does. */
  usage: string
  options: ParseArgsConfig['options']
  /** @returns the exit code */
  run(args: CommandArguments, io: Io): Promise<number>
}

export interface CommandArguments {
  values: Record<string, string | boolean | undefined>
  positionals: string[]
}

/** The outside world, passed in. Texts end in their own newlines. */
export interface Io {
  out(text: string): void
  err(text: string): void
  env: Record<string, string | undefined>
}

export const EXIT = { done: 0, failed: 1, wrongUsage: 2 } as const
