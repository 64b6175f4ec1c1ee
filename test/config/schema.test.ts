import t from 'tap'
import { configSchema } from '../../lib/config/schema/schema.ts'
import type { SchemaNode } from '../../lib/config/schema/node.ts'

/** Every node, with its place. */
function nodes(node: SchemaNode, place = ''): [string, SchemaNode][] {
  const children = Object.entries(node.properties ?? {}).map(([key, child]) => [`${place}.${key}`, child] as const)
  const items = typeof node.additionalProperties === 'object' ? [[`${place}.*`, node.additionalProperties] as const] : []
  return [[place, node], ...[...children, ...items].flatMap(([key, child]) => nodes(child, key))]
}

t.test('every key of the design is there', async t => {
  const keys = new Set(nodes(configSchema).map(([place]) => place.slice(1)))
  const expected = [
    'listen publicUrl trustedProxies passthrough defaultProject workers groups',
    'tls.certFile tls.keyFile admin.listen sendfile.header sendfile.prefix users.htpasswdFile log.level log.format',
    'storage.directory storage.maxSize storage.minFree redis.url redis.password redis.keyPrefix',
    'endpoints.*.type endpoints.*.url endpoints.*.credentials.username endpoints.*.credentials.password',
    'endpoints.*.tls.caFile endpoints.*.tls.verify endpoints.*.tls.certFile endpoints.*.tls.keyFile endpoints.*.proxy',
    'endpoints.*.timeouts.connect endpoints.*.timeouts.response endpoints.*.timeouts.idle endpoints.*.trustedRealms',
    'endpoints.*.limits.connections endpoints.*.limits.queueTimeout endpoints.*.limits.bandwidth endpoints.*.limits.rateReserve',
    'projects.*.endpoint projects.*.mirrorOf projects.*.hosts projects.*.freshness projects.*.immutableTags projects.*.serveStaleOn',
    'projects.*.retention.pulledWithin projects.*.quota projects.*.repositories.allow projects.*.repositories.deny projects.*.access projects.*.offline',
  ].join(' ').split(' ')
  for (const key of expected) t.ok(keys.has(key), key)
})

t.test('every key is described, and every section closed', async t => {
  for (const [place, node] of nodes(configSchema)) {
    t.match(node.description, /^\S.*[.)]$/s, `description of ${place}`)
    if (node.properties !== undefined) t.equal(node.additionalProperties, false, `${place} is closed`)
  }
})
