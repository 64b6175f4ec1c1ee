import { SCALARS } from './scalars.ts'
import { configSchema } from './schema/schema.ts'
import type { NotAvailableYet, SchemaNode } from './schema/node.ts'

/** The schema for editors and other validators: plain draft-07, which is what they agree on. `entrepot schema` prints it. */
export function jsonSchema(): object {
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...plain(configSchema) }
}

/** entrepot's own keywords become the nearest standard ones, or go. */
function plain(node: SchemaNode): SchemaNode {
  const { scalar, names, keyOf, outside, notAvailableYet, mustBe, whyRequired, ...rest } = node
  return {
    ...rest,
    ...(rest.properties !== undefined && { properties: mapValues(rest.properties, plain) }),
    ...(typeof rest.additionalProperties === 'object' && { additionalProperties: plain(rest.additionalProperties) }),
    ...(rest.items !== undefined && { items: plain(rest.items) }),
    ...(rest.anyOf !== undefined && { anyOf: rest.anyOf.map(plain) }),
    ...(rest.then !== undefined && { then: plain(rest.then) }),
    ...(scalar !== undefined && { pattern: SCALARS[scalar].pattern }),
    ...(names !== undefined && { propertyNames: { pattern: NAME_PATTERNS[names] } }),
    ...(notAvailableYet !== undefined && refused(node, notAvailableYet)),
  }
}

const NAME_PATTERNS = {
  project: '^(?!v2$)[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*$',
  endpoint: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
}

/** Still there to be read about, but marked wherever it is written, as `entrepot check` does. */
function refused({ enum: known, description = '' }: SchemaNode, { except, instead }: NotAvailableYet): SchemaNode {
  if (except === undefined) return { description: `Not available yet. ${description}`, not: {} }
  if (known === undefined) return { description: `Not available yet: ${instead ?? 'remove it'}. ${description}`, enum: except }
  const missing = known.filter(value => !except.includes(value))
  return { description: `${description} Not available yet: ${missing.join(', ')}.`, enum: except }
}

function mapValues(record: Record<string, SchemaNode>, change: (node: SchemaNode) => SchemaNode): Record<string, SchemaNode> {
  return Object.fromEntries(Object.entries(record).map(([key, node]) => [key, change(node)]))
}
