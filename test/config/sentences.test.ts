import t from 'tap'
import { endpointWith, linesOf, projectWith, SMALLEST } from './lines.ts'

t.test('typical typos', async t => {
  const HOSTNAME = 'must be a host name alone, such as auth.example.com, without https://, port or path'
  const table: [text: string, ...errors: string[]][] = [
    [`lisen: 1\n${SMALLEST}`, 'e.yaml:1:1 lisen: unknown key, did you mean "listen"?'],
    [`listen: 5000\n${SMALLEST}`, 'e.yaml:1:9 listen: must be host:port, such as 127.0.0.1:5000, or :5000 for all interfaces; did you mean ":5000"?'],
    [`log: { level: warning }\n${SMALLEST}`, 'e.yaml:1:15 log.level: "warning" is not known, did you mean "warn"?'],
    [`storage:\n${SMALLEST}`, 'e.yaml:1:1 storage: is empty; give it a value, or remove it'],
    [`storage: ./data\n${SMALLEST}`, 'e.yaml:1:10 storage: must be a mapping, of the form key: value'],
    [`storage: { directory: '' }\n${SMALLEST}`, 'e.yaml:1:23 storage.directory: is empty; give it a value, or remove it'],
    [`redis: {}\n${SMALLEST}`, 'e.yaml:1:1 redis.url: is missing'],
    [`log: {}\n${SMALLEST}log: {}\n`, 'e.yaml:4:1 log: is written twice; remove one'],
    [`publicUrl: cache.example.com\n${SMALLEST}`, 'e.yaml:1:12 publicUrl: must begin with https:// or http://, such as https://cache.example.com'],

    [endpointWith('timeouts: { conect: 3s }'), 'e.yaml:5:17 endpoints.e.timeouts.conect: unknown key, did you mean "connect"?'],
    [endpointWith('timeouts:\n  idle: 30'), 'e.yaml:6:13 endpoints.e.timeouts.idle: has no unit; write a duration such as 30s (units: ms, s, m, h, d)'],
    [endpointWith('timeouts:\n  idle: 0s'), 'e.yaml:6:13 endpoints.e.timeouts.idle: must be more than 0s and at most 24d'],
    [endpointWith('tls: { verify: yes }'), 'e.yaml:5:20 endpoints.e.tls.verify: must be true or false'],
    [endpointWith('trustedRealms: auth.example.com'), 'e.yaml:5:20 endpoints.e.trustedRealms: must be a list, of the form [one, two]'],
    [endpointWith('trustedRealms:\n  - a.example\n  - https://b.example'), `e.yaml:7:9 endpoints.e.trustedRealms[1]: ${HOSTNAME}`],
    [endpointWith('trustedRealms: [5]'), 'e.yaml:5:21 endpoints.e.trustedRealms[0]: must be a text; put it in quotes'],
    [endpointWith('credentials:\n  username: me'), 'e.yaml:5:5 endpoints.e.credentials.password: is missing'],
    [
      endpointWith('credentials: { username: me, password:secret }'),
      'e.yaml:5:5 endpoints.e.credentials.password: is missing',
      'e.yaml:5:34 endpoints.e.credentials["password:…"]: unknown key; a blank must follow the colon',
    ],
    [endpointWith('url: registry.example.com'), 'e.yaml:5:10 endpoints.e.url: must begin with https:// or http://, such as https://registry.example.com'],
    ['projects: { p: { endpoint: e } }\nendpoints:\n  e:\n    type: dockerhub\n', 'e.yaml:4:11 endpoints.e.type: "dockerhub" is not known, did you mean "docker-hub"?'],
    ['projects: { p: { endpoint: e } }\nendpoints:\n  e:\n    type: harbor\n', 'e.yaml:3:3 endpoints.e.url: is missing; write the registry\'s address, such as url: https://registry.example.com'],
    ['projects: { p: { endpoint: e } }\nendpoints:\n  e: { url: https://example.com }\n', 'e.yaml:3:3 endpoints.e.type: is missing'],
    ['projects: { p: { endpoint: e/f } }\nendpoints:\n  e/f: { type: docker-hub }\n', 'e.yaml:3:3 endpoints["e/f"]: is no name for an endpoint: letters, digits, and . _ - after the first'],

    [projectWith('endpoint: dockerhb'), 'e.yaml:4:15 projects.hub.endpoint: "dockerhb" is not under "endpoints", did you mean "dockerhub"?'],
    [projectWith('endpoint: toString'), 'e.yaml:4:15 projects.hub.endpoint: "toString" is not under "endpoints"; known here: dockerhub'],
    [projectWith('freshness: 5m'), 'e.yaml:3:3 projects.hub.endpoint: is missing'],
    [projectWith('endpoint: dockerhub\nserveStaleOn: [timeout, unreachible]'), 'e.yaml:5:29 projects.hub.serveStaleOn[1]: "unreachible" is not known, did you mean "unreachable"?'],
    [projectWith('endpoint: dockerhub\nserveStaleOn: [timeout, timeout]'), 'e.yaml:5:19 projects.hub.serveStaleOn: has the same value twice; remove one'],
    [projectWith('endpoint: dockerhub\nimmutableTags: [library/alpine]'), 'e.yaml:5:21 projects.hub.immutableTags[0]: must be a glob of tags alone, such as "v*.*.*"'],
    [projectWith('endpoint: dockerhub\nfreshness: 0'), 'e.yaml:5:16 projects.hub.freshness: has no unit; write a duration such as 30s (units: ms, s, m, h, d)'],
    [`${SMALLEST}__proto__: {}\n`, 'e.yaml:3:1 __proto__: unknown key; known here: listen, publicUrl, tls, trustedProxies, passthrough, defaultProject, admin, sendfile, workers, storage, redis, endpoints, projects, users, groups, log'],
  ]
  for (const [text, ...errors] of table) t.same(await linesOf(text), { errors, warnings: [] }, text)
})

t.test('names of projects', async t => {
  const grammar = 'is no name for a project: lower-case letters and digits, with . _ __ or - between them'
  const table = [
    ['Hub', `projects.Hub: ${grammar}, did you mean "hub"?`],
    ['v2', 'projects.v2: "v2" is reserved for the API\'s own paths; choose another name'],
    ['_catalog', `projects._catalog: ${grammar}`],
    ['a___b', `projects.a___b: ${grammar}`],
    ['a/b', `projects["a/b"]: ${grammar}`],
    ['__proto__', `projects.__proto__: ${grammar}`],
    ['..', `projects[".."]: ${grammar}`],
    ['a'.repeat(101), `projects["${'a'.repeat(60)}…"]: is longer than 100 characters; choose a shorter name`],
  ] as const
  for (const [name, error] of table) {
    t.same(await linesOf(`endpoints: { e: { type: docker-hub } }\nprojects: { ${name}: { endpoint: e } }\n`), { errors: [`e.yaml:2:13 ${error}`], warnings: [] })
  }
  for (const name of ['hub', 'a.b', 'a_b', 'a__b', 'a---b', '0', 'constructor']) {
    t.same(await linesOf(`endpoints: { e: { type: docker-hub } }\nprojects: { ${name}: { endpoint: e } }\n`), { errors: [], warnings: [] }, name)
  }
})

t.test('features of later versions are refused, not ignored', async t => {
  const at = (place: string): string => `e.yaml:1:${place} is not available yet in this version of entrepot; `
  const table: [line: string, error: string][] = [
    ['tls: { certFil: x }', `${at('6 tls:')}remove it`],
    ['trustedProxies: [127.0.0.1/32]', `${at('17 trustedProxies:')}remove it`],
    ['passthrough: http://127.0.0.1:5001', `${at('14 passthrough:')}remove it`],
    ['defaultProject: nowhere', `${at('17 defaultProject:')}remove it`],
    ['admin: { listen: 127.0.0.1:5080 }', `${at('8 admin:')}remove it`],
    ['sendfile: { header: X-Accel-Redirect, prefix: / }', `${at('11 sendfile:')}remove it`],
    ['workers: 4', `${at('10 workers:')}write 1 or remove it`],
    ['storage: { maxSize: 50Gi }', `${at('21 storage.maxSize:')}remove it`],
    ['storage: { minFree: 2GiB }', `${at('21 storage.minFree:')}remove it`],
    ['users: { htpasswdFile: ./htpasswd }', `${at('8 users:')}remove it`],
    ['groups: { ci: [a] }', `${at('9 groups:')}remove it`],
  ]
  for (const [line, error] of table) t.same(await linesOf(`${line}\n${SMALLEST}`), { errors: [error], warnings: [] }, line)

  const later = ['mirrorOf: [docker.io]', 'hosts: [a.example]', 'quota: 20GiB', 'repositories: { allow: [a] }', 'retention: { pulledWithin: 7d }', 'access: [ci]', 'offline: true']
  for (const line of later) {
    const { errors } = await linesOf(projectWith(`endpoint: dockerhub\n${line}`))
    t.match(errors, [/^e\.yaml:5:\d+ projects\.hub\.\w+(\.pulledWithin)?: is not available yet in this version of entrepot; /], line)
    t.equal(errors.length, 1, line)
  }
  t.match((await linesOf(endpointWith('limits: { connections: 3 }'))).errors, [/^e\.yaml:5:13 endpoints\.e\.limits: is not available yet/])
  t.same((await linesOf('projects: { p: { endpoint: e } }\nendpoints: { e: { type: quay } }\n')).errors, [
    'e.yaml:2:25 endpoints.e.type: "quay" is not available yet in this version of entrepot; use docker-registry with the registry\'s url',
  ])
})

t.test('all problems at once, in the order of the file', async t => {
  const { errors, warnings } = await linesOf(`
lisen: 1
endpoints:
  a: { type: harbor, tls: { caFile: nowhere.pem, certFile: nowhere.pem }, credentials: { username: me, password: { env: NOWHERE } } }
  b: { type: docker-hub, credentials: { username: me, password: plain } }
projects:
  A: { endpoint: c, freshness: 3 }
`)
  t.same(errors, [
    'e.yaml:2:1 lisen: unknown key, did you mean "listen"?',
    'e.yaml:4:3 endpoints.a.url: is missing; write the registry\'s address, such as url: https://registry.example.com',
    'e.yaml:4:37 endpoints.a.tls.caFile: file "nowhere.pem" does not exist',
    'e.yaml:4:60 endpoints.a.tls.certFile: needs "keyFile" beside it',
    'e.yaml:4:114 endpoints.a.credentials.password: environment variable "NOWHERE" is not set',
    'e.yaml:7:3 projects.A: is no name for a project: lower-case letters and digits, with . _ __ or - between them, did you mean "a"?',
    'e.yaml:7:18 projects.A.endpoint: "c" is not under "endpoints"; known here: a, b',
    'e.yaml:7:32 projects.A.freshness: has no unit; write a duration such as 30s (units: ms, s, m, h, d)',
  ])
  t.same(warnings, ['e.yaml:5:65 endpoints.b.credentials.password: is a secret in plain text, and Git is no place for it; write { env: NAME } or { file: PATH }'])
})
