import t from 'tap'
import { admit, refusePush, type RepositoryRoute } from '../lib/access.ts'
import type { Project } from '../lib/cache/project.ts'
import { digestOf } from '../lib/oci/digest.ts'
import { parseReference, parseRepositoryName, type RepositoryName } from '../lib/oci/reference.ts'
import type { Upstream } from '../lib/upstream/upstream.ts'

const DIGEST = digestOf(Buffer.from(''))

/** Never asked for anything but names: access is decided before any look-up. */
function project(name: string, canonicalName: (name: RepositoryName) => RepositoryName = name => name): [string, Project] {
  const upstream = { canonicalName } as Partial<Upstream> as Upstream
  return [name, { name, upstream, policy: { freshness: 0, isImmutable: () => false, serveStaleOn: new Set() } }]
}

const PROJECTS = new Map([project('hub', name => (name.includes('/') ? name : `library/${name}` as RepositoryName)), project('ghcr')])

const manifest = (name: string): RepositoryRoute => ({ kind: 'manifest', name: parseRepositoryName(name), reference: parseReference('latest') })
const routesOf = (name: string): RepositoryRoute[] => {
  const parsed = parseRepositoryName(name)
  return [manifest(name), { kind: 'blob', name: parsed, digest: DIGEST }, { kind: 'tags', name: parsed }, { kind: 'referrers', name: parsed, digest: DIGEST }]
}

t.test('a pull is about a repository by the name that upstream knows it by', async t => {
  const rows = [['hub/alpine', 'hub', 'library/alpine'], ['hub/grafana/grafana', 'hub', 'grafana/grafana'], ['ghcr/alpine', 'ghcr', 'alpine'], ['hub/hub', 'hub', 'library/hub'], ['hub/ghcr/a', 'hub', 'ghcr/a']] as const
  for (const [name, projectName, repository] of rows) {
    for (const method of ['GET', 'HEAD']) {
      for (const route of routesOf(name)) {
        const target = admit(method, route, PROJECTS)
        t.equal(target.project, PROJECTS.get(projectName))
        t.equal(target.repository, repository)
      }
    }
  }
})

t.test('a name that is no project\'s is not known', async t => {
  for (const name of ['alpine', 'library/alpine', 'hubb/alpine', 'constructor/a', 'hub.x/a']) {
    t.throws(() => admit('GET', manifest(name), PROJECTS), { code: 'NAME_UNKNOWN', status: 404, message: `no project "${name.split('/')[0]}" here: pull <project>/<repository>, where the project is one of hub, ghcr` }, name)
  }
})

t.test('a project alone is no repository', async t => {
  for (const route of routesOf('hub')) {
    t.throws(() => admit('GET', route, PROJECTS), { code: 'NAME_UNKNOWN', status: 404, message: '"hub" is a project: a repository must follow it, as in hub/library/alpine' })
  }
})

t.test('pushes and deletions are refused with a sentence and what is allowed', async t => {
  const refusal = { code: 'UNSUPPORTED', status: 405, headers: { allow: 'GET, HEAD' }, message: 'project "hub" is a pull-through cache and takes no pushes or deletions: push to its upstream registry' }
  for (const method of ['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'get', '']) {
    for (const route of [...routesOf('hub/a'), ...routesOf('hub')]) t.throws(() => admit(method, route, PROJECTS), refusal, method)
  }
  for (const method of ['POST', 'GET', 'HEAD']) t.throws(() => admit(method, { kind: 'upload', name: parseRepositoryName('hub/a') }, PROJECTS), refusal, method)
  t.throws(() => admit('PUT', manifest('other/a'), PROJECTS), { code: 'NAME_UNKNOWN' })
  t.match(refusePush('this'), { message: /^this is a pull-through cache/, status: 405 })
})
