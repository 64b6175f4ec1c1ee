import t from 'tap'
import type { EndpointType } from '../../lib/config/config.ts'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { KINDS } from '../../lib/upstream/kinds.ts'

const ROWS: [EndpointType, string, string][] = [
  ['docker-registry', 'alpine', 'alpine'],
  ['harbor', 'alpine', 'alpine'],
  ['docker-hub', 'alpine', 'library/alpine'],
  ['docker-hub', 'library/alpine', 'library/alpine'],
  ['docker-hub', 'team/app', 'team/app'],
  ['docker-hub', 'a'.repeat(255), 'a'.repeat(255)],
]

for (const [type, given, canonical] of ROWS) {
  t.test(`${type} knows ${given.slice(0, 20)} as ${canonical.slice(0, 20)}`, async t => {
    const once = KINDS[type].canonicalName(parseRepositoryName(given))
    t.equal(once, canonical)
    t.equal(KINDS[type].canonicalName(once), canonical)
  })
}

t.test('the scope is built from the canonical name', async t => {
  t.equal(KINDS['docker-hub'].scope(parseRepositoryName('library/alpine')), 'repository:library/alpine:pull')
})
