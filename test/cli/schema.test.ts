import t from 'tap'
import { schema } from '../../lib/cli/schema.ts'
import { jsonSchema } from '../../lib/config/json-schema.ts'

async function run(positionals: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const code = await schema.run({ values: {}, positionals }, {
    out: text => { written.out += text },
    err: text => { written.err += text },
    env: {},
  })
  return { code, ...written }
}

t.test('prints the schema', async t => {
  const { code, out, err } = await run([])
  t.equal(code, 0)
  t.equal(err, '')
  t.ok(out.endsWith('}\n'))
  t.same(JSON.parse(out), jsonSchema())
})

t.test('wrong usage', async t => {
  t.same(await run(['x']), { code: 2, out: '', err: 'entrepot schema: takes no arguments\n' })
})
