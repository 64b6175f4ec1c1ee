import type { Pointer } from './pointer.ts'

/** Something wrong with the configuration, or worth saying about it. Messages never hold a secret. */
export interface Problem {
  file: string
  /** From 1; absent where the file as a whole is meant. */
  line?: number
  column?: number
  /** The key's path, `endpoints.hub.url`; '' where no key is meant. */
  path: string
  /** What is wrong, and what to write instead. */
  message: string
}

/** A problem as it is found, before it is known where in the file the place stands. */
export interface Finding {
  place: Pointer
  message: string
  /** The key itself is meant, not its value. */
  ofKey?: true
}

/** `FILE:LINE:COLUMN path: message`, which terminals and editors make a link of. */
export function formatProblem({ file, line, column, path, message }: Problem, prefix = ''): string {
  const position = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return `${position}${path === '' ? '' : ` ${path}`}: ${prefix}${message}`
}

/** The configuration cannot be used: every problem of it at once, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** What else is worth saying about the same file. */
  readonly warnings: readonly Problem[]

  constructor(problems: readonly Problem[], warnings: readonly Problem[] = []) {
    super(problems.map(problem => formatProblem(problem)).join('\n'))
    this.problems = problems
    this.warnings = warnings
  }
}
