import { Ajv, type ErrorObject } from 'ajv'
import { addKeywords, type Findings } from './keywords.ts'
import { isWithin } from './pointer.ts'
import type { Finding } from './problem.ts'
import { configSchema } from './schema/schema.ts'
import { describe } from './sentences.ts'

/** Compiles the schema, which costs some milliseconds. @returns the check of one document's data */
export function createValidator(): (data: unknown) => Findings {
  // Types follow the schema strictly; `verbose` gives the sentences what they speak of.
  const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, passContext: true, strict: true })
  addKeywords(ajv)
  const validate = ajv.compile(configSchema)
  return data => {
    const findings: Findings = { problems: [], warnings: [], notAvailable: [], outside: [] }
    validate.call(findings, data)
    const problems = [...findings.problems, ...collapse(validate.errors ?? []).map(describe)]
    return { ...findings, problems: [...findings.notAvailable, ...withoutRefused(problems, findings.notAvailable)] }
  }
}

/** One error instead of one per branch that did not fit. */
function collapse(errors: ErrorObject[]): ErrorObject[] {
  const unions = errors.filter(error => error.keyword === 'anyOf')
  const isBranch = (error: ErrorObject): boolean => unions.some(union => error.schemaPath.startsWith(`${union.schemaPath}/`))
  return errors.filter(error => error.keyword !== 'if' && !isBranch(error))
}

/** What is refused as a whole needs no further criticism. */
function withoutRefused(problems: Finding[], refused: Finding[]): Finding[] {
  return problems.filter(problem => !refused.some(({ place }) => isWithin(problem.place, place)))
}

