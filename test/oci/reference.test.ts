import assert from 'node:assert/strict'
import { join, sep } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { isDigest, isRepositoryName, isTag, parseReference, parseRepositoryName } from '../../lib/oci/reference.ts'

const NAMES = [
  'a', '0', 'library/alpine', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'a/b/c', '1/2', 'manifests/blobs/tags/referrers',
  Array(30).fill('x').join('/'), 'a'.repeat(255), `a/${'b'.repeat(253)}`,
]

const NO_NAMES = [
  '', '/', 'a/', '/a', 'a//b', 'A', 'aB', 'ä', '_a', 'a_', 'a___b', 'a..b', 'a.-b', '.a', 'a.', '-a', 'a-', '.', '..', 'a/..', '../a', 'a/./b',
  'a\\b', 'a b', 'a\n', '\0', 'a:b', 'a@b', 'a%2fb', '_tags', 'a/_tags',
]

t.test('names of the grammar', async t => {
  for (const name of NAMES) {
    t.ok(isRepositoryName(name), name)
    t.equal(parseRepositoryName(name), name)
  }
})

t.test('no names', async t => {
  for (const name of NO_NAMES) {
    t.notOk(isRepositoryName(name), JSON.stringify(name))
    t.throws(() => parseRepositoryName(name), { code: 'NAME_INVALID', status: 400, message: /off the grammar/ })
  }
  t.throws(() => parseRepositoryName('a'.repeat(256)), { code: 'NAME_INVALID', message: /longer than 255/ })
})

const TAGS = ['a', 'A', '_', '3.20', 'v1.2.3-rc_1', 'latest', 'x'.repeat(128), '__proto__', 'sha256-0123.sig']
const NO_TAGS = ['', '.', '..', '-a', '.a', 'a/b', 'a b', 'a\n', 'ä', '\0', 'a%2e', 'x'.repeat(129)]

t.test('tags of the grammar', async t => {
  for (const tag of TAGS) {
    t.ok(isTag(tag), tag)
    t.equal(parseReference(tag), tag)
    t.notOk(isDigest(parseReference(tag)))
  }
})

t.test('what cannot be a tag is not there', async t => {
  for (const tag of NO_TAGS) {
    t.notOk(isTag(tag), JSON.stringify(tag))
    t.throws(() => parseReference(tag), { code: 'MANIFEST_UNKNOWN', status: 404 })
  }
})

t.test('a reference with a colon is a digest or refused', async t => {
  const digest = digestOf(Buffer.from('a'))
  t.ok(isDigest(parseReference(digest)))
  for (const text of [':', 'latest:', 'sha256:a', 'md5:00']) t.throws(() => parseReference(text), { code: 'DIGEST_INVALID', status: 400 }, text)
})

t.test('CVE-2024-3727: a name or tag never leads out of a directory', async () => {
  const parts = fc.constantFrom('..', '.', '/', '\\', 'a', '_', '-', '\0', '%2e', ' ')
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(parts).map(list => list.join(''))), text => {
    if (isRepositoryName(text)) assert.equal(join('/top', text).split(sep).length, text.split('/').length + 2)
    if (isTag(text)) assert.equal(join('/top', `${text}.json`).split(sep).length, 3)
  }), { numRuns: 500 })
})

t.test('hostile lengths are answered, too', async t => {
  for (const text of ['a'.repeat(1e5), 'a-'.repeat(5e4), '_'.repeat(1e5), 'a/'.repeat(5e4)]) {
    t.notOk(isRepositoryName(text))
    t.notOk(isTag(text))
  }
})
