import t from 'tap'
import { check } from '../../lib/cli/check.ts'
import { DEFAULT_CONFIG_FILE, type CommandArguments } from '../../lib/cli/command.ts'

const VALID = 'endpoints: { hub: { type: docker-hub } }\nprojects: { hub: { endpoint: hub }, again: { endpoint: hub } }\n'

interface Run {
  code: number
  out: string
  err: string
}

async function run(values: CommandArguments['values'], positionals: string[] = []): Promise<Run> {
  const written = { out: '', err: '' }
  const code = await check.run({ values, positionals }, {
    out: text => { written.out += text },
    err: text => { written.err += text },
    env: {},
  })
  return { code, ...written }
}

t.test('a valid file', async t => {
  const config = `${t.testdir({ 'e.yaml': VALID })}/e.yaml`
  t.same(await run({ config }), { code: 0, out: `${config}: valid, 1 endpoint, 2 projects\n`, err: '' })
  t.same(await run({ config, json: true }), { code: 0, out: '{\n  "valid": true,\n  "problems": [],\n  "warnings": []\n}\n', err: '' })
})

t.test('a file with problems', async t => {
  const config = `${t.testdir({ 'e.yaml': `lisen: 1\nlog: { level: x }\n${VALID}` })}/e.yaml`
  t.same(await run({ config }), {
    code: 1,
    out: '',
    err: `${config}:1:1 lisen: unknown key, did you mean "listen"?\n${config}:2:15 log.level: "x" is not known; known here: trace, debug, info, warn, error, silent\n`,
  })
  const { code, out } = await run({ config, json: true })
  t.equal(code, 1)
  t.match(JSON.parse(out), {
    valid: false,
    problems: [{ file: config, line: 1, column: 1, path: 'lisen', message: 'unknown key, did you mean "listen"?' }, { path: 'log.level' }],
    warnings: [],
  })
})

t.test('without the secrets, as in CI', async t => {
  const text = VALID.replace('docker-hub', 'docker-hub, credentials: { username: me, password: { env: TOKEN } }')
  const config = `${t.testdir({ 'e.yaml': text })}/e.yaml`
  const { code, out, err } = await run({ config })
  t.equal(code, 0)
  t.match(out, 'valid, 1 endpoint')
  t.equal(err, `${config}:1:78 endpoints.hub.credentials.password: warning: environment variable "TOKEN" is not set\n`)
  t.match(JSON.parse((await run({ config, json: true })).out), { valid: true, warnings: [{ line: 1, path: 'endpoints.hub.credentials.password' }] })
})

t.test('the default is a file of the current directory', async t => {
  t.same(await run({}), { code: 1, out: '', err: `${DEFAULT_CONFIG_FILE}: the configuration file does not exist\n` })
})

t.test('wrong usage', async t => {
  t.same(await run({}, ['e.yaml']), { code: 2, out: '', err: 'entrepot check: name the file with --config FILE\n' })
})
