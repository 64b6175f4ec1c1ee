import { parseConfig, type ReadOptions } from '../../lib/config/load.ts'
import { ConfigError, formatProblem } from '../../lib/config/problem.ts'

export const SMALLEST = 'endpoints: { hub: { type: docker-hub } }\nprojects: { hub: { endpoint: hub } }\n'

export interface Outcome {
  errors: string[]
  warnings: string[]
}

/** The lines that a user reads. */
export async function linesOf(text: string, options: ReadOptions & { file?: string } = {}): Promise<Outcome> {
  try {
    const { warnings } = await parseConfig(text, { file: 'e.yaml', env: {}, ...options })
    return { errors: [], warnings: warnings.map(warning => formatProblem(warning)) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { errors: error.message.split('\n'), warnings: error.warnings.map(warning => formatProblem(warning)) }
  }
}

/** The lines stand below endpoint `e`, from line 5 and column 5 on. */
export function endpointWith(lines: string): string {
  return `projects: { p: { endpoint: e } }\nendpoints:\n  e:\n    type: docker-hub\n${lines.replaceAll(/^/gm, '    ')}\n`
}

/** The lines stand below project `hub`, from line 4 and column 5 on. */
export function projectWith(lines: string): string {
  return `endpoints: { dockerhub: { type: docker-hub } }\nprojects:\n  hub:\n${lines.replaceAll(/^/gm, '    ')}\n`
}
