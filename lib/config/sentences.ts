import type { ErrorObject } from 'ajv'
import { suggestion } from './nearest.ts'
import type { Parsed } from './parsed.ts'
import { below, quoted } from './pointer.ts'
import type { Finding } from './problem.ts'
import { SCALARS } from './scalars.ts'
import type { SchemaNode } from './schema/node.ts'

/** One of ajv's errors in our words. */
export function describe(error: ErrorObject): Finding {
  const schema = (error.parentSchema ?? {}) as SchemaNode
  const sentence = Object.hasOwn(SENTENCES, error.keyword) ? SENTENCES[error.keyword] : undefined
  const message = sentence?.(error, schema) ?? mustBe(schema)
  return { place: placeOf(error), message, ...(error.keyword === 'additionalProperties' && { ofKey: true as const }) }
}

function placeOf({ keyword, instancePath, params }: ErrorObject): string {
  if (keyword === 'additionalProperties') return below(instancePath, String(params['additionalProperty']))
  if (keyword === 'required') return below(instancePath, String(params['missingProperty']))
  if (keyword === 'dependencies') return below(instancePath, String(params['property']))
  return instancePath
}

type Sentence = (error: ErrorObject, schema: SchemaNode) => string

const SENTENCES: Record<string, Sentence> = {
  additionalProperties({ params }, schema) {
    const key = String(params['additionalProperty'])
    if (key.includes(':')) return 'unknown key; a blank must follow the colon'
    return `unknown key${suggestion(key, Object.keys(schema.properties ?? {}))}`
  },
  required({ params }, schema) {
    const why = schema.whyRequired ?? schema.properties?.[String(params['missingProperty'])]?.whyRequired
    return why === undefined ? 'is missing' : `is missing; ${why}`
  },
  dependencies: ({ params }) => `needs "${String(params['missingProperty'])}" beside it`,
  type: ({ data }, schema) => describeType(data, schema),
  enum({ data }, schema) {
    const known = (schema.enum ?? []).map(String)
    return typeof data === 'string' ? `${quoted(data)} is not known${suggestion(data, known)}` : `must be one of ${known.join(', ')}`
  },
  minLength: (_, schema) => (schema.mustBe === undefined ? EMPTY : mustBe(schema)),
  minProperties: (_, schema) => (schema.whyRequired === undefined ? EMPTY : `is empty; ${schema.whyRequired}`),
  minimum: (_, schema) => `must be at least ${schema.minimum ?? 0}`,
  uniqueItems: () => 'has the same value twice; remove one',
}

const EMPTY = 'is empty; give it a value, or remove it'

function describeType(data: unknown, schema: SchemaNode): string {
  if (data === null) return schema.whyRequired === undefined ? EMPTY : `is empty; ${schema.whyRequired}`
  if (schema.scalar === undefined || (typeof data !== 'number' && typeof data !== 'boolean')) return mustBe(schema)
  // A number where a text with a unit belongs: the text's own parser knows what is missing.
  const parsed: Parsed<unknown> = SCALARS[schema.scalar].parse(String(data))
  return 'mistake' in parsed ? parsed.mistake : 'must be a text; put it in quotes'
}

const BY_TYPE = {
  object: 'a mapping, of the form key: value',
  array: 'a list, of the form [one, two]',
  string: 'a text; put it in quotes',
  integer: 'a whole number',
  boolean: 'true or false',
}

function mustBe(schema: SchemaNode): string {
  if (schema.mustBe !== undefined) return `must be ${schema.mustBe}`
  if (schema.enum !== undefined) return `must be one of ${schema.enum.join(', ')}`
  if (schema.scalar !== undefined) return mistakeOf(schema.scalar)
  return schema.type === undefined ? 'is not allowed here' : `must be ${BY_TYPE[schema.type]}`
}

/** What the scalar says of a text that means nothing. */
function mistakeOf(scalar: keyof typeof SCALARS): string {
  const parsed: Parsed<unknown> = SCALARS[scalar].parse('')
  return 'mistake' in parsed ? parsed.mistake : ''
}
