import t from 'tap'
import { parseConfig } from '../../lib/config/load.ts'
import { endpointWith, linesOf, type Outcome } from './lines.ts'

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const PRIVATE_KEY = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n'

t.test('secrets', async t => {
  const directory = t.testdir({ secret: 'hunter2\r\n', two: 'hunter2\n\n', empty: '\n', binary: Buffer.from([0xff, 0xfe]), folder: {} })
  const read = async (password: string, secrets: 'required' | 'optional' = 'required'): Promise<Outcome & { password?: string | undefined }> => {
    const text = endpointWith(`credentials: { username: me, password: ${password} }`)
    const options = { file: `${directory}/e.yaml`, env: { SET: 'hunter2\n', EMPTY: '' }, secrets }
    const { errors, warnings } = await linesOf(text, options)
    if (errors.length > 0) return { errors, warnings }
    const { config } = await parseConfig(text, options)
    return { errors, warnings, password: config.endpoints['e']?.credentials?.password }
  }
  const at = `${directory}/e.yaml:5:44 endpoints.e.credentials.password:`

  t.same(await read('{ env: SET }'), { errors: [], warnings: [], password: 'hunter2' })
  t.same(await read('{ file: secret }'), { errors: [], warnings: [], password: 'hunter2' })
  t.same(await read('{ file: two }'), { errors: [], warnings: [], password: 'hunter2\n' }, 'one newline only')
  t.same(await read('hunter2'), { errors: [], warnings: [`${at} is a secret in plain text, and Git is no place for it; write { env: NAME } or { file: PATH }`], password: 'hunter2' })

  const excusable = { '{ env: NOT }': 'environment variable "NOT" is not set', '{ env: EMPTY }': 'environment variable "EMPTY" is empty, which is no secret', '{ file: nowhere }': 'file "nowhere" does not exist' }
  for (const [password, message] of Object.entries(excusable)) {
    t.same(await read(password), { errors: [`${at} ${message}`], warnings: [] })
    t.same(await read(password, 'optional'), { errors: [], warnings: [`${at} ${message}`], password: undefined })
  }
  const wrong = { '{ file: empty }': 'file "empty" is empty, which is no secret', '{ file: folder }': 'file "folder" is a directory, not a file', '{ file: binary }': 'file "binary" is not text in UTF-8' }
  for (const [password, message] of Object.entries(wrong)) t.same(await read(password, 'optional'), { errors: [`${at} ${message}`], warnings: [] })

  for (const password of ['12345', '{ env: a, file: b }', '{ envv: A }', '{}', '\'\'', '[hunter2]', '{ env: $SET }', '{ env: }', 'true']) {
    t.same(await read(password), { errors: [`${at} must be { env: NAME } or { file: PATH }`], warnings: [] }, password)
  }
})

t.test('certificates and keys', async t => {
  const directory = t.testdir({ cert: CERTIFICATE, key: PRIVATE_KEY, locked: PRIVATE_KEY.replaceAll('EC ', 'ENCRYPTED '), legacy: PRIVATE_KEY.replace('AAAA', 'Proc-Type: 4,ENCRYPTED\nAAAA'), text: 'no PEM' })
  const read = (tls: string, secrets: 'required' | 'optional' = 'optional'): Promise<Outcome> => linesOf(endpointWith(`tls: { ${tls} }`), { file: `${directory}/e.yaml`, secrets })
  const at = `${directory}/e.yaml:5:`
  const table: [tls: string, error: string][] = [
    ['caFile: nowhere', `${at}20 endpoints.e.tls.caFile: file "nowhere" does not exist`],
    ['caFile: key', `${at}20 endpoints.e.tls.caFile: file "key" has no certificate in it; expected PEM, "-----BEGIN CERTIFICATE-----"`],
    ['certFile: cert', `${at}22 endpoints.e.tls.certFile: needs "keyFile" beside it`],
    ['keyFile: key', `${at}21 endpoints.e.tls.keyFile: needs "certFile" beside it`],
    ['certFile: cert, keyFile: text', `${at}37 endpoints.e.tls.keyFile: file "text" has no private key in it; expected PEM, "-----BEGIN PRIVATE KEY-----"`],
    ['certFile: cert, keyFile: locked', `${at}37 endpoints.e.tls.keyFile: file "locked" is a private key with a passphrase; write one without`],
    ['certFile: cert, keyFile: legacy', `${at}37 endpoints.e.tls.keyFile: file "legacy" is a private key with a passphrase; write one without`],
  ]
  for (const [tls, error] of table) t.same(await read(tls), { errors: [error], warnings: [] }, tls)
  const missing = `${at}37 endpoints.e.tls.keyFile: file "nowhere" does not exist`
  t.same(await read('certFile: cert, keyFile: nowhere'), { errors: [], warnings: [missing] })
  t.same(await read('certFile: cert, keyFile: nowhere', 'required'), { errors: [missing], warnings: [] })
})

t.test('no message holds a secret', async t => {
  const places = [
    'credentials: { username: me, password:hunter2 }',
    'credentials: { username: me, password: *hunter2 }',
    'credentials: { username: me, password: @hunter2 }',
    'credentials: { username: me, password: !hunter2 }',
    'credentials: { username: me, password: &hunter2 }',
    'credentials: { username: me, password: [hunter2] }',
    'credentials: { username: me, password: "\\hunter2" }',
    'credentials: { username: me, password: \'it\'hunter2\' }',
    'credentials:\n  username: me\n  password:hunter2',
    'credentials:\n  username: me\n  password: |hunter2',
    'credentials: hunter2',
    'url: https://me:hunter2@example.com',
    'url: me:hunter2@example.com',
    'proxy: me:hunter2@proxy:3128',
    'proxy: http://me:hunter2@proxy:3128/path',
  ]
  for (const place of places) {
    const { errors, warnings } = await linesOf(endpointWith(place))
    t.ok(errors.length > 0, place)
    t.notMatch([...errors, ...warnings].join('\n'), 'hunter2')
  }
})
