import { fileURLToPath } from 'node:url'
import t from 'tap'
import { importsOf, offences, type Rules } from './support/imports.ts'

/** design.md, part 7, as data. */
const RULES: Rules = {
  layers: [['cli'], ['index.ts'], ['app.ts'], ['http', 'dashboard'], ['access.ts'], ['cache'], ['store', 'upstream'], ['config'], ['oci']],
  leaves: { 'clock.ts': [], 'log.ts': ['config'], 'version.ts': [], 'metrics.ts': [] },
  implementations: /^(?:store\/(?:fs-blob-store|\w+-meta-store)|upstream\/(?!upstream\.|failure\.).+)\.ts$/,
  composer: 'app.ts',
  singleSite: [
    'undici', 'http-proxy', 'httpxy', 'node-cache', 'ioredis', 'tldts', 'leven', 'picomatch', 'jose', 'bcryptjs', 'prom-client',
  ],
}

t.test('lib keeps to the direction of imports', async t => {
  const imports = importsOf(fileURLToPath(new URL('../lib/', import.meta.url)))
  t.ok(imports.length > 10, 'there is something to check')
  t.same(offences(imports, RULES), [])
})

t.test('the check finds what it is there for', async t => {
  const directory = t.testdir({
    'app.ts': "import '../package.json'\nimport './store/fs-blob-store.ts'\nimport './cache/fill.ts'",
    'clock.ts': "import './oci/digest.ts'",
    'log.ts': '',
    'stray.ts': "import './log.ts'",
    cache: {
      'fill.ts': "import type { A } from '../store/blob-store.ts'\nimport './resolve.ts'",
      'resolve.ts': "const later = () => import('./fill.ts')\nexport * from '../http/handler.ts'\nimport '../store/memory-meta-store.ts'",
      'ok.ts': "import '../log.ts'\nimport { createHash } from 'node:crypto'\n// import '../http/handler.ts'",
    },
    http: { 'handler.ts': "import { request } from 'undici'" },
    oci: { 'digest.ts': '' },
    store: { 'blob-store.ts': '', 'fs-blob-store.ts': "import './blob-store.ts'\nimport '../upstream/upstream.ts'", 'memory-meta-store.ts': '' },
    upstream: { 'upstream.ts': '', 'transport.ts': "import type { Dispatcher } from 'undici'" },
  })
  t.same(offences(importsOf(directory), RULES), [
    'cache/resolve.ts:2: ../http/handler.ts: imports point down only: cache is not above http',
    'cache/resolve.ts:3: ../store/memory-meta-store.ts: only app.ts names implementations',
    'clock.ts:1: ./oci/digest.ts: a leaf does not know oci',
    'store/fs-blob-store.ts:2: ../upstream/upstream.ts: imports point down only: store is not above upstream',
    'stray.ts:1: ./log.ts: "stray.ts" has no place in the layers',
    'upstream/transport.ts:1: undici: has its one import site in http/handler.ts',
    'cache/resolve.ts:1: cycle: cache/fill.ts → cache/resolve.ts → cache/fill.ts',
  ])
})
