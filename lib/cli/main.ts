#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { nearest } from '../config/nearest.ts'
import { VERSION } from '../version.ts'
import { check } from './check.ts'
import { EXIT, type Command, type Io } from './command.ts'
import { schema } from './schema.ts'
import { serve } from './serve.ts'

const COMMANDS: Record<string, Command> = { serve, check, schema }

/** @param args what follows the program's name @returns the exit code */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name = '--help', ...rest] = args
  if (name === '--help' || name === '-h' || name === 'help') return help(rest[0], io)
  if (name === '--version' || name === 'version') {
    io.out(`${VERSION}\n`)
    return EXIT.done
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) return wrongUsage(`unknown command "${name}"${suggestion(name)}`, io)
  if (rest.includes('--help') || rest.includes('-h')) return help(name, io)
  const parsed = parse(command, rest)
  if (typeof parsed === 'string') return wrongUsage(parsed, io)
  return command.run(parsed, io)
}

type Parsed = Parameters<Command['run']>[0]

function parse(command: Command, args: string[]): Parsed | string {
  try {
    const { values, positionals } = parseArgs({ args, options: command.options ?? {}, allowPositionals: true })
    return { values: values as Parsed['values'], positionals }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function help(name: string | undefined, io: Io): number {
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command) {
    io.out(`Usage: entrepot ${command.usage}\n`)
    return EXIT.done
  }
  const list = Object.entries(COMMANDS).map(([key, { summary }]) => `  ${key.padEnd(10)} ${summary}`)
  io.out(['Usage: entrepot COMMAND [options]', '', ...list, '', 'entrepot COMMAND --help tells more; --version prints the version.', ''].join('\n'))
  return EXIT.done
}

function suggestion(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS))
  return near === undefined ? '' : `, did you mean "${near}"?`
}

function wrongUsage(reason: string, io: Io): number {
  io.err(`entrepot: ${reason}\nSee entrepot --help.\n`)
  return EXIT.wrongUsage
}

const io: Io = {
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  env: process.env,
}

process.exitCode = await main(process.argv.slice(2), io)
