import { flag, listOf, mapOf, scalar, section, text, type SchemaNode } from './node.ts'

const FAILURES = ['unreachable', 'timeout', 'server-error', 'rate-limited', 'denied', 'not-found']

const serveStaleOn = listOf(
  { type: 'string', enum: FAILURES },
  'In which cases of upstream failing a cached tag is served as it is. Default: unreachable, timeout, server-error, rate-limited. May add: denied, not-found.',
  { default: FAILURES.slice(0, 4), examples: [FAILURES.slice(0, 4)] },
)

const retention = section('When cached content goes. Today everything is kept.', {
  pulledWithin: scalar('durationOrNever', 'What has not been pulled for so long is removed; "never" keeps everything.', {
    examples: ['7d', 'never'],
    notAvailableYet: { except: ['never'], instead: 'write "never" or remove it' },
  }),
})

const repositories = section('Which repositories may be pulled, as globs of their names without the project; deny wins.', {
  allow: listOf(text('Glob.'), 'Only these.', { examples: [['library/**']] }),
  deny: listOf(text('Glob.'), 'None of these.', { examples: [['**/miner']] }),
}, { notAvailableYet: { except: [{}] } })

const access: SchemaNode = {
  description: 'Who may pull: "public", or a list of users and groups. Default public.',
  anyOf: [{ const: 'public' }, listOf(text('A user or a group.'), 'Users and groups.')],
  default: 'public',
  examples: ['public', ['ci', 'alice']],
  mustBe: '"public" or a list of users and groups',
  notAvailableYet: { except: ['public'], instead: 'write "public" or remove it' },
}

const project = section('A first path component that clients pull through, bound to one endpoint.', {
  endpoint: text('Where to pull from: a name under "endpoints".', { keyOf: 'endpoints', examples: ['dockerhub'] }),
  mirrorOf: listOf(
    scalar('registryName', 'Registry name.'),
    'Registries that this project mirrors: the ?ns= values of containerd that mean it.',
    { examples: [['docker.io']], notAvailableYet: { except: [[]] } },
  ),
  hosts: listOf(
    scalar('hostName', 'Host name alone.'),
    'Host names under which this project is the whole registry.',
    { examples: [['docker.cache.example.com']], notAvailableYet: { except: [[]] } },
  ),
  freshness: scalar('duration', 'How long a tag is trusted before upstream is asked again, as 500ms, 30s, 5m, 1h or 7d. 0s, the default: each pull asks, as Harbor does.', {
    default: '0s',
    examples: ['5m'],
  }),
  immutableTags: listOf(
    text('Glob.', { pattern: '^[^/:\\s]+$', mustBe: 'a glob of tags alone, such as "v*.*.*"' }),
    'Globs of tags that never change: once cached, upstream is not asked again. A glob that begins with * needs quotes.',
    { default: [], examples: [['v*.*.*']] },
  ),
  serveStaleOn,
  retention,
  quota: scalar('size', 'How much the project may keep, as 20GiB; least recently used content goes first.', { examples: ['20GiB'], notAvailableYet: {} }),
  repositories,
  access,
  offline: flag('true: upstream is never asked; what is cached or imported is served. Default false.', {
    default: false,
    notAvailableYet: { except: [false], instead: 'write false or remove it' },
  }),
}, { required: ['endpoint'] })

export const projects = mapOf(project, 'What clients pull through: localhost:5000/<project>/<repository>. Names are of lower-case letters and digits, with . _ __ or - between them.', {
  minProperties: 1,
  names: 'project',
  examples: [{ hub: { endpoint: 'dockerhub' } }],
  whyRequired: 'bind a name to an endpoint, such as projects: { hub: { endpoint: dockerhub } }',
})
