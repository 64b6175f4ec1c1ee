import { isDeepStrictEqual } from 'node:util'
import type { Ajv, FuncKeywordDefinition, ValidateFunction } from 'ajv'
import { isRepositoryName } from '../oci/reference.ts'
import type { Parsed } from './parsed.ts'
import { below, quoted, type Pointer } from './pointer.ts'
import type { Finding } from './problem.ts'
import { SCALARS, type ScalarName } from './scalars.ts'
import type { NameGrammar, NotAvailableYet, OutsideKind, SchemaNode } from './schema/node.ts'
import { suggestion } from './nearest.ts'

/** What the keywords find in one file: ajv hands it to them as `this`. */
export interface Findings {
  problems: Finding[]
  warnings: Finding[]
  notAvailable: Finding[]
  outside: OutsideValue[]
}

/** A value that stands outside of the file. */
export interface OutsideValue {
  place: Pointer
  kind: OutsideKind
  source: { env: string } | { file: string }
  /** Puts what was read in the source's place; undefined removes it. */
  put(text: string | undefined): void
}

type Context = NonNullable<Parameters<ValidateFunction>[1]>
type Check<Value> = (findings: Findings, value: Value, data: unknown, context: Context, parent: SchemaNode) => void

/** entrepot's own keywords. They report to the findings in words of their own, and so never fail in ajv's. */
export function addKeywords(ajv: Ajv): void {
  ajv.addKeyword(keyword<ScalarName>('scalar', checkScalar, { type: 'string', schemaType: 'string', modifying: true }))
  ajv.addKeyword(keyword<NameGrammar>('names', checkNames, { type: 'object', schemaType: 'string' }))
  ajv.addKeyword(keyword<'endpoints' | 'projects'>('keyOf', checkKeyOf, { type: 'string', schemaType: 'string' }))
  ajv.addKeyword(keyword<OutsideKind>('outside', checkOutside, { schemaType: 'string' }))
  ajv.addKeyword(keyword<NotAvailableYet>('notAvailableYet', checkAvailable, { schemaType: 'object' }))
  ajv.addVocabulary(['mustBe', 'whyRequired'])
}

function keyword<Value>(name: string, check: Check<Value>, definition: Partial<FuncKeywordDefinition>): FuncKeywordDefinition {
  function validate(this: Findings, value: Value, data: unknown, parent?: SchemaNode, context?: Context): boolean {
    if (context !== undefined) check(this, value, data, context, parent ?? {})
    return true
  }
  return { ...definition, keyword: name, validate, errors: false }
}

function checkScalar(findings: Findings, name: ScalarName, data: unknown, context: Context): void {
  const parsed: Parsed<unknown> = SCALARS[name].parse(String(data))
  const place = context.instancePath
  if ('mistake' in parsed) {
    findings.problems.push({ place, message: parsed.mistake })
    return
  }
  context.parentData[context.parentDataProperty] = parsed.value
  if (parsed.warning !== undefined) findings.warnings.push({ place, message: parsed.warning })
}

function checkNames(findings: Findings, grammar: NameGrammar, data: unknown, context: Context): void {
  for (const name of Object.keys(data as object)) {
    const mistake = NAME_MISTAKES[grammar](name)
    if (mistake !== undefined) findings.problems.push({ place: below(context.instancePath, name), message: mistake, ofKey: true })
  }
}

const MAX_PROJECT_NAME = 100

const NAME_MISTAKES: Record<NameGrammar, (name: string) => string | undefined> = {
  project(name) {
    if (name === 'v2') return '"v2" is reserved for the API\'s own paths; choose another name'
    // It becomes a directory's name, and a part of longer ones.
    if (name.length > MAX_PROJECT_NAME) return `is longer than ${MAX_PROJECT_NAME} characters; choose a shorter name`
    if (isProjectName(name)) return undefined
    const lower = name.toLowerCase()
    const hint = isProjectName(lower) ? `, did you mean "${lower}"?` : ''
    return `is no name for a project: lower-case letters and digits, with . _ __ or - between them${hint}`
  },
  endpoint(name) {
    return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name) ? undefined : 'is no name for an endpoint: letters, digits, and . _ - after the first'
  },
}

function isProjectName(name: string): boolean {
  return isRepositoryName(name) && !name.includes('/')
}

function checkKeyOf(findings: Findings, sectionName: string, data: unknown, context: Context): void {
  const section: unknown = (context.rootData as Record<string, unknown>)[sectionName]
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return
  if (Object.hasOwn(section, String(data))) return
  const message = `${quoted(String(data))} is not under "${sectionName}"${suggestion(String(data), Object.keys(section))}`
  findings.problems.push({ place: context.instancePath, message })
}

function checkOutside(findings: Findings, kind: OutsideKind, data: unknown, context: Context): void {
  const place = context.instancePath
  const source = kind === 'secret' ? data : { file: data }
  if (!isSource(source)) {
    if (typeof data === 'string' && data !== '') findings.warnings.push({ place, message: PLAIN_SECRET })
    return
  }
  const { parentData, parentDataProperty } = context
  findings.outside.push({
    place, kind, source,
    put(text) {
      if (text === undefined) delete parentData[parentDataProperty]
      else parentData[parentDataProperty] = text
    },
  })
}

const PLAIN_SECRET = 'is a secret in plain text, and Git is no place for it; write { env: NAME } or { file: PATH }'

function isSource(value: unknown): value is OutsideValue['source'] {
  if (typeof value !== 'object' || value === null) return false
  const [[key, name] = [], ...others] = Object.entries(value)
  return (key === 'env' || key === 'file') && typeof name === 'string' && name !== '' && others.length === 0
}

function checkAvailable(findings: Findings, { except = [], instead = 'remove it' }: NotAvailableYet, data: unknown, context: Context, parent: SchemaNode): void {
  if (except.some(value => equal(value, data))) return
  // Not a known word at all: that is said elsewhere.
  if (parent.enum !== undefined && !parent.enum.includes(data)) return
  const subject = parent.enum === undefined ? '' : `${quoted(String(data))} `
  findings.notAvailable.push({ place: context.instancePath, message: `${subject}is not available yet in this version of entrepot; ${instead}` })
}

function equal(value: unknown, data: unknown): boolean {
  // The file's objects have no prototype, ours have one.
  return isDeepStrictEqual(value, typeof data === 'object' && data !== null && !Array.isArray(data) ? { ...data } : data)
}
