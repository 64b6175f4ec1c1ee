import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import t from 'tap'
import { parse } from 'yaml'
import { jsonSchema } from '../../lib/config/json-schema.ts'
import { readConfig } from '../../lib/config/load.ts'

const root = new URL('../../', import.meta.url)

const validate = new Ajv({ strict: true, allErrors: true }).compile(jsonSchema())

t.test('config.schema.json is current', async t => {
  const committed = await readFile(new URL('config.schema.json', root), 'utf8')
  t.equal(committed, `${JSON.stringify(jsonSchema(), null, 2)}\n`, 'run "npm run schema", which writes it anew')
})

t.test('config.example.yaml is valid, for entrepot and for editors', async t => {
  const file = new URL('config.example.yaml', root)
  const { config, warnings } = await readConfig(file.pathname)
  t.same(warnings, [])
  t.same(Object.keys(config.projects), ['hub', 'ghcr', 'quay', 'k8s', 'gcr', 'ecr-public', 'mcr'])
  const text = await readFile(file, 'utf8')
  t.match(text, /^# yaml-language-server: \$schema=\.\/config\.schema\.json\n/)
  t.ok(validate(parse(text)), JSON.stringify(validate.errors))
})

t.test('the example\'s commented-out lines are right, too', async t => {
  const text = await readFile(new URL('config.example.yaml', root), 'utf8')
  const all = text.replaceAll(/^( +)# (?=(?:credentials|freshness|immutableTags):|  (?:username|password):)/gm, '$1')
  t.equal(all.split('\n').filter(line => /^ +(credentials|username|password|freshness|immutableTags):/.test(line)).length, 8)
  const { config, warnings } = await readConfig(`${t.testdir({ 'e.yaml': all })}/e.yaml`, { env: { DOCKERHUB_TOKEN: 'a', GITHUB_TOKEN: 'b' } })
  t.same(warnings, [])
  t.same(config.endpoints['github']?.credentials, { username: 'somebody', password: 'b' })
})

t.test('editors mark what entrepot refuses', async t => {
  const smallest = { endpoints: { hub: { type: 'docker-hub' } }, projects: { hub: { endpoint: 'hub' } } }
  const endpoint = (extra: object): object => ({ ...smallest, endpoints: { hub: { type: 'docker-hub', ...extra } } })
  const project = (extra: object): object => ({ ...smallest, projects: { hub: { endpoint: 'hub', ...extra } } })
  t.ok(validate(smallest), JSON.stringify(validate.errors))
  t.ok(validate({ ...smallest, workers: 1, redis: { url: 'rediss://redis', password: { env: 'A' } }, listen: ':5000' }), JSON.stringify(validate.errors))
  t.ok(validate(project({ access: 'public', retention: { pulledWithin: 'never' } })), JSON.stringify(validate.errors))
  const bad = [
    {}, { ...smallest, lisen: 1 }, { ...smallest, workers: 2 }, { ...smallest, admin: { listen: ':1' } }, { ...smallest, listen: '5000' },
    endpoint({ type: 'quay' }), endpoint({ type: 'harbor' }), endpoint({ url: 'registry.example.com' }), endpoint({ timeouts: { idle: '30' } }),
    endpoint({ tls: { certFile: 'x' } }), endpoint({ credentials: { username: 'me', password: { envv: 'X' } } }),
    project({ offline: true }), project({ access: ['ci'] }), project({ retention: { pulledWithin: '7d' } }), project({ freshness: 5 }),
    { ...smallest, projects: { v2: { endpoint: 'hub' } } }, { ...smallest, projects: { Hub: { endpoint: 'hub' } } },
  ]
  for (const document of bad) t.notOk(validate(document), JSON.stringify(document))
})

t.test('nothing of entrepot\'s own keywords is left', async t => {
  t.notMatch(JSON.stringify(jsonSchema()), /"(?:scalar|names|keyOf|outside|notAvailableYet|mustBe|whyRequired)":/)
})
