import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { loadConfig, parseConfig, readConfig } from '../../lib/config/load.ts'
import { endpointWith, linesOf, SMALLEST } from './lines.ts'

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const PRIVATE_KEY = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n'

t.test('defaults', async t => {
  const { config, warnings } = await parseConfig(SMALLEST, { file: '/etc/entrepot/entrepot.yaml' })
  t.same(warnings, [])
  t.strictSame(JSON.parse(JSON.stringify(config)), {
    listen: { host: '127.0.0.1', port: 5000 },
    storage: { directory: '/etc/entrepot/data' },
    endpoints: {
      hub: {
        type: 'docker-hub',
        url: 'https://registry-1.docker.io',
        tls: { verify: true },
        timeouts: { connect: 3000, response: 10_000, idle: 30_000 },
        trustedRealms: [],
      },
    },
    projects: {
      hub: { endpoint: 'hub', freshness: 0, immutableTags: [], serveStaleOn: ['unreachable', 'timeout', 'server-error', 'rate-limited'] },
    },
    log: { level: 'info', format: 'json' },
  })
})

t.test('everything that is available, and what changes nothing of what is not', async t => {
  const directory = t.testdir({
    'ca.pem': CERTIFICATE, 'cert.pem': CERTIFICATE, 'key.pem': PRIVATE_KEY, secret: 'from a file\n',
    'e.yaml': `
listen: '[::1]:0'
publicUrl: https://cache.example.com/
trustedProxies: []
workers: 1
storage: { directory: ../cache }
redis: { url: redis://127.0.0.1:6379/0, password: { env: REDIS }, keyPrefix: 'e:' }
endpoints:
  corp:
    type: harbor
    url: https://harbor.corp.example/
    credentials: { username: robot$puller, password: { file: secret } }
    tls: { caFile: ca.pem, verify: false, certFile: cert.pem, keyFile: key.pem }
    proxy: http://proxy.corp.example:3128
    timeouts: { connect: 500ms, response: 1m, idle: 24d }
    trustedRealms: [Auth.corp.example]
    limits: {}
projects:
  corp:
    endpoint: corp
    mirrorOf: []
    hosts: []
    freshness: 5m
    immutableTags: ['v*.*.*', '*-final']
    serveStaleOn: [denied, not-found]
    retention: { pulledWithin: never }
    repositories: {}
    access: public
    offline: false
groups: {}
log: { level: debug, format: text }
`,
  })
  const { config, warnings } = await readConfig(`${directory}/e.yaml`, { env: { REDIS: 'hunter2' } })
  t.same(warnings, [])
  t.strictSame(JSON.parse(JSON.stringify(config)), {
    listen: { host: '::1', port: 0 },
    publicUrl: 'https://cache.example.com',
    storage: { directory: resolve(directory, '../cache') },
    redis: { url: 'redis://127.0.0.1:6379/0', password: 'hunter2', keyPrefix: 'e:' },
    endpoints: {
      corp: {
        type: 'harbor',
        url: 'https://harbor.corp.example',
        credentials: { username: 'robot$puller', password: 'from a file' },
        tls: { ca: CERTIFICATE, cert: CERTIFICATE, key: PRIVATE_KEY, verify: false },
        proxy: 'http://proxy.corp.example:3128',
        timeouts: { connect: 500, response: 60_000, idle: 2_073_600_000 },
        trustedRealms: ['auth.corp.example'],
      },
    },
    projects: {
      corp: { endpoint: 'corp', freshness: 300_000, immutableTags: ['v*.*.*', '*-final'], serveStaleOn: ['denied', 'not-found'] },
    },
    log: { level: 'debug', format: 'text' },
  })
})

t.test('frozen, and without a prototype where names are the clients\'', async t => {
  const { config } = await parseConfig('endpoints: { constructor: { type: docker-hub } }\nprojects: { constructor: { endpoint: constructor } }\n', { file: 'e.yaml' })
  t.same(Object.keys(config.projects), ['constructor'])
  t.equal(config.projects['toString'], undefined)
  t.equal(config.endpoints['__proto__'], undefined)
  const everything = (value: unknown): unknown[] => [value, ...(typeof value === 'object' && value !== null ? Object.values(value).flatMap(everything) : [])]
  t.ok(everything(config).every(value => Object.isFrozen(value)))
})

t.test('files that are no configuration', async t => {
  const directory = t.testdir({
    empty: '', comments: '# nothing\n', list: '- a\n', word: 'listen', folder: {}, 'giant.yaml': `# ${'x'.repeat(2 ** 20)}\n`,
    'utf16.yaml': Buffer.from('\uFEFFlisten: x', 'utf16le'), 'syntax.yaml': 'a:\n\tb: 1\n',
  })
  const table: Record<string, string> = {
    nowhere: ': the configuration file does not exist',
    'empty/e.yaml': ': the configuration file does not exist',
    folder: ': the configuration file is a directory, not a file',
    empty: ': the configuration file is empty; config.example.yaml shows what to write',
    comments: ': the configuration file is empty; config.example.yaml shows what to write',
    list: ':1:1: must be a mapping, of the form key: value',
    word: ':1:1: must be a mapping, of the form key: value',
    'giant.yaml': ': the configuration file is larger than 1 MiB',
    'utf16.yaml': ': the configuration file is not text in UTF-8',
    'syntax.yaml': ':2:1: not valid YAML: a tab in the indentation; use blanks',
  }
  for (const [name, message] of Object.entries(table)) {
    await t.rejects(loadConfig(`${directory}/${name}`), { name: 'ConfigError', message: `${directory}/${name}${message}` }, name)
  }
})

t.test('a file that may not be read', async t => {
  const file = `${t.testdir({ 'e.yaml': SMALLEST })}/e.yaml`
  chmodSync(file, 0)
  await asNobody(() => t.rejects(loadConfig(file), { message: `${file}: the configuration file cannot be read: permission denied` }))
})

/** Root may read everything, so it steps aside. */
async function asNobody(body: () => Promise<unknown>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await body()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

t.test('loadConfig hands warnings over', async t => {
  const file = `${t.testdir({ 'e.yaml': endpointWith('proxy: http://me:pw@proxy:3128') })}/e.yaml`
  const warnings: string[] = []
  await loadConfig(file, { onWarning: warning => warnings.push(warning.path) })
  t.same(warnings, ['endpoints.e.proxy'])
})

t.test('whatever the text, there is a Config or a ConfigError with places in it', async () => {
  const words = fc.constantFrom(
    'endpoints', 'projects', 'hub', 'type', 'docker-hub', 'harbor', 'url', 'https://example.com', 'endpoint', 'tls', 'storage', 'directory', 'credentials',
    'password', 'env', 'listen', ':5000', '30s', '0', 'null', '__proto__', 'access', 'public', 'retention', ': ', ':\n  ', ':\n    ', '\n', '\n  ', '\n    ', '- ', '[', ']', '{', '}', ', ', '&a ', '*a', '"', '\t', '# ',
  )
  const likely = fc.array(words, { maxLength: 30 }).map(parts => parts.join(''))
  const structured = fc.dictionary(words, fc.oneof(words, fc.dictionary(words, fc.dictionary(words, fc.jsonValue())))).map(value => JSON.stringify(value))
  await fc.assert(fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), likely, structured), async text => {
    const { errors } = await linesOf(text)
    for (const line of errors) assert.match(line, /^e\.yaml(:\d+:\d+)?( [^:].*)?: ./)
  }), { numRuns: 100 })
})
