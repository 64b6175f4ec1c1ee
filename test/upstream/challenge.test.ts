import fc from 'fast-check'
import t from 'tap'
import { parseChallenges } from '../../lib/upstream/challenge.ts'

const plain = (header: string | string[] | undefined): unknown[] =>
  parseChallenges(header).map(({ scheme, params, token68 }) => [scheme, Object.fromEntries(params), ...(token68 === undefined ? [] : [token68])])

const ROWS: [string, string | string[] | undefined, unknown[]][] = [
  ['no header', undefined, []],
  ['an empty header', '', []],
  ['Docker Hub', 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull"',
    [['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:library/alpine:pull' }]]],
  ['a scheme in any case', 'BEARER Realm="x"', [['bearer', { realm: 'x' }]]],
  ['a comma in a quoted string', 'Bearer scope="repository:a:pull,push", realm="x"', [['bearer', { scope: 'repository:a:pull,push', realm: 'x' }]]],
  ['escapes', String.raw`Basic realm="a \"b\" \\ c"`, [['basic', { realm: String.raw`a "b" \ c` }]]],
  ['two challenges in one header', 'Basic realm="r", Bearer realm="x", service=s', [['basic', { realm: 'r' }], ['bearer', { realm: 'x', service: 's' }]]],
  ['two headers', ['Basic realm="r"', 'Bearer realm="x"'], [['basic', { realm: 'r' }], ['bearer', { realm: 'x' }]]],
  ['a scheme alone', 'Negotiate', [['negotiate', {}]]],
  ['schemes alone', 'Negotiate, NTLM', [['negotiate', {}], ['ntlm', {}]]],
  ['token68', 'Negotiate YII+/=='.concat(', Basic realm=r'), [['negotiate', {}, 'YII+/=='], ['basic', { realm: 'r' }]]],
  ['odd whitespace', '\t , Bearer   realm =\t"x" ,, service= s ,', [['bearer', { realm: 'x', service: 's' }]]],
  ['a URL without quotes', 'Bearer realm=https://auth.example/token,service=s', [['bearer', { realm: 'https://auth.example/token', service: 's' }]]],
  ['a quote never closed', 'Bearer realm="https://x, Basic realm=y', [['bearer', { realm: 'https://x, Basic realm=y' }]]],
  ['a parameter given twice', 'Bearer realm="first", realm="second"', [['bearer', { realm: 'first' }]]],
  ['a parameter without a scheme', 'realm="x"', []],
  ['prototype names', 'Bearer __proto__="x", constructor=y', [['bearer', Object.fromEntries([['__proto__', 'x'], ['constructor', 'y']])]]],
  ['junk', '"@@ (Bearer) ,;= realm="x"', [['bearer', { realm: 'x' }]]],
]

for (const [name, header, expected] of ROWS) t.test(name, async t => { t.same(plain(header), expected) })

const token = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,10}$/)
const space = fc.stringMatching(/^[ \t]{0,3}$/)
const value = fc.oneof(token, fc.string({ unit: 'grapheme-ascii' }))
const challenge = fc.record({ scheme: token, params: fc.uniqueArray(fc.tuple(token, value), { minLength: 1, selector: ([key]) => key.toLowerCase() }) })

t.test('reads back whatever is written by the grammar', async () => {
  fc.assert(fc.property(fc.array(challenge), space, (challenges, gap) => {
    const quote = (text: string): string => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
    const header = challenges
      .map(({ scheme, params }) => `${scheme} ${params.map(([key, text]) => `${key}${gap}=${gap}${quote(text)}`).join(`${gap},${gap}`)}`)
      .join(`${gap},${gap}`)
    const read = parseChallenges(header).map(({ scheme, params }) => ({ scheme, params: [...params] }))
    const written = challenges.map(({ scheme, params }) => ({ scheme: scheme.toLowerCase(), params: params.map(([key, text]) => [key.toLowerCase(), text]) }))
    return JSON.stringify(read) === JSON.stringify(written)
  }))
})

t.test('never throws', async () => {
  const hostile = fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', '\t', 'a', 'B', '+', '/', '\0', 'é') })
  fc.assert(fc.property(fc.oneof(fc.string(), hostile), header => { parseChallenges(header) }))
})

t.test('takes linear time on hostile input', async t => {
  const pieces = ['"', '\\', ',', '=', ' ', 'a', 'a ', 'a=', 'a="', 'a ,', ' =', 'a  =', '+ ', 'a +=']
  for (const piece of pieces) {
    const started = performance.now()
    parseChallenges(`Bearer ${piece.repeat(200_000)}`)
    t.ok(performance.now() - started < 2000, JSON.stringify(piece))
  }
})
