import t from 'tap'
import { readDocument, YamlSyntaxError, type SyntaxProblem } from '../../lib/config/document.ts'

t.test('data, and where it stands', async t => {
  const { data, positionOf, keyPositionOf, findings } = readDocument('a:\n  - x\n  - b: [1, two]\nc:\n')
  t.same(findings, [])
  t.strictSame(JSON.parse(JSON.stringify(data)), { a: ['x', { b: [1, 'two'] }], c: null })
  t.same(positionOf('/a/1/b/1'), { line: 3, column: 12 })
  t.same(positionOf('/a/1/b'), { line: 3, column: 8 })
  t.same(keyPositionOf('/a/1/b'), { line: 3, column: 5 })
  t.same(positionOf('/c'), { line: 4, column: 1 }, 'an empty value is shown at its key')
  t.same(positionOf('/a/1/missing/deep'), { line: 3, column: 5 }, 'what is not there is shown at the nearest place above it')
  t.same(positionOf('/missing'), { line: 1, column: 1 })
})

t.test('windows newlines and a byte order mark', async t => {
  const { positionOf } = readDocument('\uFEFFa: 1\r\nb: 2\r\n')
  t.same(positionOf('/b'), { line: 2, column: 4 })
})

t.test('aliases are written out, and share nothing', async t => {
  const { data, positionOf, findings } = readDocument('a: &x { b: [1] }\nc: *x\n')
  const { a, c } = data as { a: object; c: object }
  t.same(findings, [])
  t.same(c, a)
  t.not(c, a)
  t.same(positionOf('/c/b/0'), { line: 1, column: 13 }, 'where the text really stands')
})

t.test('keys that mean something to JavaScript are keys like any other', async t => {
  const { data } = readDocument('__proto__: { polluted: 1 }\nconstructor: 2\ntoString: 3\n')
  t.same(Object.keys(data as object), ['__proto__', 'constructor', 'toString'])
  t.equal(Object.getPrototypeOf(data), null)
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('YAML 1.2, whatever the file says', async t => {
  t.same(JSON.parse(JSON.stringify(readDocument('%YAML 1.1\n---\na: no\nb: 010\n').data)), { a: 'no', b: 10 })
})

t.test('findings', async t => {
  const table: [text: string, place: string, message: string][] = [
    ['a: 1\nb: 2\na: 3\n', '/a', 'is written twice; remove one'],
    ['a: &x [*x]\n', '/a/0', 'is an alias (*name) that refers to itself; write the value out'],
    ['a: *hunter2\n', '/a', 'is an alias (*name) without an anchor (&name) before it; a text that begins with * must be in quotes'],
    ['a: &x { b: 1 }\nc:\n  <<: *x\n', '/c/<<', 'merge keys are not supported; repeat the keys, or use an alias (*name) for a whole value'],
  ]
  for (const [text, place, message] of table) t.match(readDocument(text).findings, [{ place, message }], text)
})

function syntaxProblems(text: string): SyntaxProblem[] {
  try {
    readDocument(text)
    return []
  } catch (error) {
    if (error instanceof YamlSyntaxError) return error.problems
    throw error
  }
}

t.test('what is no YAML', async t => {
  const table: [text: string, line: number, column: number, message: string][] = [
    ['a:\n\tb: 1\n', 2, 1, 'a tab in the indentation; use blanks'],
    ['a: @x\n', 1, 4, 'a text that begins with @, ` or % must be in quotes'],
    ['a: "x\n', 2, 1, 'a quote, a bracket or a colon is missing before this'],
    ['a: [1,2\nb: 3\n', 2, 1, 'wrong indentation, or a bracket before it that is not closed'],
    ['listen: [::1]:5000\n', 1, 14, 'unexpected text; a value with brackets or quotes in it must be in quotes as a whole, such as \'[::1]:5000\''],
    ['a: 1\n  b: 2\n', 1, 4, 'wrong indentation, or a second key on the line; a text with ": " in it must be in quotes'],
    ['a:1\nb: 2\n', 1, 1, 'not a key with a value; write "key: value", with a blank after the colon'],
    ['a: *\n', 1, 4, 'a text that begins with * must be in quotes'],
    ['a: "\\q"\n', 1, 5, 'unknown escape in double quotes; write \\\\ for a backslash, or use single quotes'],
    ['a: !secret x\n', 1, 4, 'tags (!name) are not supported; a text that begins with ! must be in quotes'],
    ['[a]: 1\n', 1, 1, 'a key must be a text'],
    ['a: 1\n---\nb: 2\n', 2, 1, 'a second document begins here; one file holds one configuration'],
    ['a: |hunter2\n  x\n', 1, 5, 'unexpected text; a value with brackets or quotes in it must be in quotes as a whole, such as \'[::1]:5000\''],
  ]
  for (const [text, line, column, message] of table) {
    t.same(syntaxProblems(text), [{ line, column, message: `not valid YAML: ${message}` }], JSON.stringify(text))
  }
})

t.test('bombs end quickly', async t => {
  const names = [...'abcdefghij']
  const laughs = names.map((name, index) => `${name}: &${name} [${Array(10).fill(index === 0 ? 'lol' : `*${names[index - 1]}`).join(', ')}]`)
  const many = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`)
  for (const lines of [laughs, many]) {
    t.match(syntaxProblems(lines.join('\n')), [{ line: 1, column: 1, message: /^more than 50000 values/ }])
  }
  t.match(syntaxProblems('['.repeat(100_000)), [{ message: 'not valid YAML: nested too deep' }])
  t.match(readDocument(`${'['.repeat(100)}${']'.repeat(100)}`).findings, [{ message: 'is nested too deep' }])
})
