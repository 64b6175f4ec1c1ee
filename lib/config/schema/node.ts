import type { ScalarName } from '../scalars.ts'

/**
 * The part of JSON Schema (draft-07) that the configuration uses, with entrepot's own keywords. Those check while the
 * file is validated (keywords.ts) and become standard ones in what editors get (json-schema.ts).
 */
export interface SchemaNode {
  type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  title?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  enum?: readonly unknown[]
  const?: unknown
  minLength?: number
  pattern?: string
  minimum?: number
  minProperties?: number
  uniqueItems?: boolean
  items?: SchemaNode
  properties?: Record<string, SchemaNode>
  required?: string[]
  dependencies?: Record<string, string[]>
  additionalProperties?: false | SchemaNode
  propertyNames?: SchemaNode
  anyOf?: SchemaNode[]
  if?: SchemaNode
  then?: SchemaNode
  not?: SchemaNode

  /** The text is parsed, and replaced by what it means. */
  scalar?: ScalarName
  /** The keys follow the grammar of these names. */
  names?: NameGrammar
  /** The text is a key of this section. */
  keyOf?: 'endpoints' | 'projects'
  /** The value stands outside of the file, and is replaced by what is read there. */
  outside?: OutsideKind
  /** Refused, because its feature is not built yet; the issue that builds it removes this, and nothing else. */
  notAvailableYet?: NotAvailableYet
  /** Ends the sentence "must be …" where the plain keywords fail. */
  mustBe?: string
  /** Ends the sentence "is missing; …" where a required key is. */
  whyRequired?: string
}

export type NameGrammar = 'project' | 'endpoint'

export type OutsideKind = 'secret' | 'certificate' | 'privateKey'

export interface NotAvailableYet {
  /** Values that are accepted all the same: what entrepot does anyway, or what a feature that is there understands. */
  except?: readonly unknown[]
  /** What to write meanwhile. */
  instead?: string
}

export function section(description: string, properties: Record<string, SchemaNode>, extra: SchemaNode = {}): SchemaNode {
  return { type: 'object', description, additionalProperties: false, properties, ...extra }
}

/** A mapping whose keys are the user's own. */
export function mapOf(items: SchemaNode, description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'object', description, additionalProperties: items, ...extra }
}

export function listOf(items: SchemaNode, description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'array', description, items, uniqueItems: true, ...extra }
}

export function text(description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'string', minLength: 1, description, ...extra }
}

export function scalar(name: ScalarName, description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'string', scalar: name, description, ...extra }
}

export function flag(description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'boolean', description, ...extra }
}

/** At least `minimum`. */
export function count(minimum: number, description: string, extra: SchemaNode = {}): SchemaNode {
  return { type: 'integer', minimum, description, ...extra }
}

export function secret(description: string): SchemaNode {
  const variable = text('Name of the environment variable that holds the secret.', { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' })
  const file = text('File that holds the secret, relative to this file; a newline at its end is not part of it.')
  return {
    description: `${description} Written as { env: NAME } or { file: PATH }; a plain text is accepted with a warning, because Git is no place for it.`,
    examples: [{ env: 'REGISTRY_PASSWORD' }, { file: '/run/secrets/registry' }],
    anyOf: [
      section('From the environment.', { env: variable }, { required: ['env'] }),
      section('From a file.', { file }, { required: ['file'] }),
      { type: 'string', minLength: 1 },
    ],
    outside: 'secret',
    mustBe: '{ env: NAME } or { file: PATH }',
  }
}
