import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { OciError } from '../../lib/oci/errors.ts'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { parseRoute, splitProject, type Route } from '../../lib/oci/route.ts'

const PROJECTS = new Set(['hub', 'manifests'])
const route = (target: string): Route | undefined => parseRoute(target, name => PROJECTS.has(name))

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const DIGEST = `sha256:${HEX}`
const SHA512 = `sha512:${HEX}${HEX}`
const DEEP = Array(30).fill('x').join('/')

const manifest = (name: string, reference: string) => ({ kind: 'manifest', name, reference })
const blob = (name: string, digest: string) => ({ kind: 'blob', name, digest })
const upload = (name: string) => ({ kind: 'upload', name })
const tags = (name: string) => ({ kind: 'tags', name })
const referrers = (name: string, digest: string) => ({ kind: 'referrers', name, digest })

const ROUTES: [target: string, expected: unknown][] = [
  ['/v2', { kind: 'ping' }],
  ['/v2/', { kind: 'ping' }],
  ['/v2/?ns=docker.io', { kind: 'ping' }],
  ['/hub/v2', { kind: 'ping', project: 'hub' }],
  ['/hub/v2/', { kind: 'ping', project: 'hub' }],
  ['/v2/_catalog?n=5', { kind: 'catalog' }],

  ['/v2/hub/library/alpine/manifests/3.20', manifest('hub/library/alpine', '3.20')],
  ['/v2/hub/library/alpine/manifests/3.20?ns=docker.io', manifest('hub/library/alpine', '3.20')],
  ['/v2/hub/library/alpine/manifests/3.20?ns=../..//%00', manifest('hub/library/alpine', '3.20')],
  ['/hub/v2/library/alpine/manifests/3.20', manifest('hub/library/alpine', '3.20')],
  [`/v2/hub/a/manifests/${DIGEST}`, manifest('hub/a', DIGEST)],
  [`/v2/hub/a/manifests/sha256%3A${HEX}`, manifest('hub/a', DIGEST)],
  [`/v2/hub/a/manifests/sha256%3a${HEX}`, manifest('hub/a', DIGEST)],
  [`/v2/hub/a/manifests/${SHA512}`, manifest('hub/a', SHA512)],
  [`/v2/hub/a/blobs/${SHA512}`, blob('hub/a', SHA512)],
  [`/hub/v2/a/blobs/sha256%3A${HEX}`, blob('hub/a', DIGEST)],
  ['/v2/hub/a/tags/list?n=10000&last=b', tags('hub/a')],
  [`/v2/hub/a/referrers/${DIGEST}?artifactType=a%2Fb`, referrers('hub/a', DIGEST)],

  // Parsed from the right: no component is a keyword where it may be a repository's.
  ['/v2/hub/manifests/manifests/latest', manifest('hub/manifests', 'latest')],
  ['/v2/hub/blobs/uploads/manifests/latest', manifest('hub/blobs/uploads', 'latest')],
  ['/v2/hub/a/blobs/uploads/tags/list', tags('hub/a/blobs/uploads')],
  [`/v2/hub/manifests/latest/blobs/${DIGEST}`, blob('hub/manifests/latest', DIGEST)],
  [`/v2/hub/tags/list/manifests/${DIGEST}`, manifest('hub/tags/list', DIGEST)],
  [`/v2/hub/referrers/tags/referrers/${DIGEST}`, referrers('hub/referrers/tags', DIGEST)],
  ['/v2/hub/tags/tags/list', tags('hub/tags')],
  ['/v2/hub/a/manifests/uploads', manifest('hub/a', 'uploads')],
  ['/v2/manifests/manifests/manifests', manifest('manifests', 'manifests')],
  ['/manifests/v2/a/manifests/latest', manifest('manifests/a', 'latest')],
  ['/v2/v2/a/manifests/latest', manifest('v2/a', 'latest')],
  ['/hub/v2/v2/manifests/latest', manifest('hub/v2', 'latest')],
  [`/v2/hub/${DEEP}/manifests/latest`, manifest(`hub/${DEEP}`, 'latest')],

  // The project alone: no repository, which is for access to say.
  ['/v2/hub/manifests/latest', manifest('hub', 'latest')],

  ['/v2/hub/a/blobs/uploads', upload('hub/a')],
  ['/v2/hub/a/blobs/uploads/', upload('hub/a')],
  [`/v2/hub/a/blobs/uploads/?mount=${DIGEST}&from=hub%2Fb`, upload('hub/a')],
  ['/v2/hub/a/blobs/uploads/0b9b6eae-27a4-4b8e-8d5f-6d3b3e8ed7a2', upload('hub/a')],
  ['/hub/v2/a/blobs/uploads/', upload('hub/a')],
]

t.test('targets and their routes', async t => {
  for (const [target, expected] of ROUTES) t.same(route(target), expected, target)
})

const NOT_OURS = [
  '', '*', '/', '/v1/', '/v2x', '/V2/', '/v2\n', '//v2/', '/hub', '/hub/', '/favicon.ico', '/x/v2/', '/x/v2/a/manifests/latest', '/hub/hub/v2/',
  '/hub%2Fv2/', '/h%75b/v2/', '/%2e%2e/v2/', '/../v2/', '/hub/../v2/', '/v2/hub', '/v2/hub/a', '/v2/hub/a/', '/v2/hub/a/tags', '/v2/hub/a/tags/list/',
  '/v2/hub/a/tags/latest', '/v2/hub/a/b/c', '/v2/constructor/__proto__/a', '/constructor/v2/',
  'http://cache/v2/', 'http://cache/v2/hub/a/manifests/latest', 'http://cache/v2/../..', 'v2/hub/a/manifests/latest', 'cache:443', '?/v2/', '#/v2/',
]

t.test('targets that are somebody else\'s', async t => {
  for (const target of NOT_OURS) t.equal(route(target), undefined, JSON.stringify(target))
})

const HOSTILE = [
  '/v2//', '/v2//hub/a/manifests/latest', '/v2/hub//a/manifests/latest', '/v2/hub/a//manifests/latest', '/v2/hub/a/manifests//latest', '/hub/v2//a/manifests/latest',
  '/v2/..', '/v2/../v2/hub/a/manifests/latest', '/v2/hub/../other/a/manifests/latest', '/v2/hub/a/manifests/..', '/v2/hub/./a/manifests/latest', '/v2/hub/a/manifests/.',
  '/v2/hub/%2e%2e/a/manifests/latest', '/v2/hub/%2E%2E/a/manifests/latest', '/v2/hub/.%2e/a/manifests/latest', '/v2/hub/%2e/a/manifests/latest', '/v2/hub/a/manifests/%2e%2E',
  '/hub/v2/../a/manifests/latest', '/v2/hub%2Fa/manifests/latest', '/v2/hub%2fa/manifests/latest', '/v2/hub/a%2F..%2Fb/manifests/latest', `/v2/hub/a/blobs/..%2f..%2f${DIGEST}`,
  '/v2/hub\\a/manifests/latest', '/v2/hub/..\\a/manifests/latest', '/v2/hub%5Ca/manifests/latest', '/v2/hub%5ca/manifests/latest',
  '/v2/hub/a%00/manifests/latest', '/v2/hub/a/manifests/latest%00.json', '/v2/hub/a\0/manifests/latest', '/v2/hub/a/manifests/la\ttest', '/v2/hub/a/manifests/la test',
  '/v2/hub/a/manifests/latest\r\nx: y', '/v2/hub/a/manifests/latest\n', '/v2/hub/a/manifests/\x7f', '/v2/hub/ä/manifests/latest', '/v2/hub/a/manifests/\u2025',
]

t.test('CVE-2024-4956: hostile targets are refused before they are decoded', async t => {
  for (const target of HOSTILE) t.throws(() => route(target), { code: 'NAME_INVALID', status: 400, message: /^request target refused/ }, JSON.stringify(target))
})

const REFUSED: [target: string, code: string, status: number][] = [
  ['/v2/hub/A/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/a_/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/_tags/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/a%0a/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/%252e%252e/a/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/a%252Fb/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/%C3%A4/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/%zz/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/%ff/manifests/latest', 'NAME_INVALID', 400],
  ['/v2/hub/a/manifests/%', 'NAME_INVALID', 400],
  [`/v2/hub/${'a'.repeat(252)}/tags/list`, 'NAME_INVALID', 400],
  ['/v2/hub/A/tags/list', 'NAME_INVALID', 400],
  ['/v2/hub/A/blobs/uploads/', 'NAME_INVALID', 400],
  [`/v2/hub/A/referrers/${DIGEST}`, 'NAME_INVALID', 400],
  ['/v2/hub/a/manifests/', 'MANIFEST_UNKNOWN', 404],
  ['/v2/hub/a/manifests/-a', 'MANIFEST_UNKNOWN', 404],
  ['/v2/hub/a/manifests/latest%0a', 'MANIFEST_UNKNOWN', 404],
  ['/v2/hub/a/manifests/%252e%252e', 'MANIFEST_UNKNOWN', 404],
  [`/v2/hub/a/manifests/${'a'.repeat(129)}`, 'MANIFEST_UNKNOWN', 404],
  [`/v2/hub/a/manifests/${DIGEST}0`, 'DIGEST_INVALID', 400],
  [`/v2/hub/a/manifests/sha256%253A${HEX}`, 'MANIFEST_UNKNOWN', 404],
  ['/v2/hub/a/blobs/', 'DIGEST_INVALID', 400],
  ['/v2/hub/a/blobs/latest', 'DIGEST_INVALID', 400],
  [`/v2/hub/a/blobs/md5:${HEX}`, 'DIGEST_INVALID', 400],
  [`/v2/hub/a/blobs/sha256:${HEX.toUpperCase()}`, 'DIGEST_INVALID', 400],
  [`/v2/hub/a/blobs/sha256%253A${HEX}`, 'DIGEST_INVALID', 400],
  ['/v2/hub/a/referrers/latest', 'DIGEST_INVALID', 400],
]

t.test('what is off the grammar has the spec\'s code', async t => {
  for (const [target, code, status] of REFUSED) t.throws(() => route(target), { code, status }, target)
})

t.test('the first component is the project', async t => {
  t.same(splitProject(parseRepositoryName('hub')), { project: 'hub' })
  t.same(splitProject(parseRepositoryName('hub/a')), { project: 'hub', repository: 'a' })
  t.same(splitProject(parseRepositoryName('hub/a/b')), { project: 'hub', repository: 'a/b' })
})

/** The one canonical target of a route; uploads without what follows the name. */
function render(parsed: Route): string {
  switch (parsed.kind) {
    case 'ping': return '/v2/'
    case 'catalog': return '/v2/_catalog'
    case 'upload': return `/v2/${parsed.name}/blobs/uploads`
    case 'tags': return `/v2/${parsed.name}/tags/list`
    case 'manifest': return `/v2/${parsed.name}/manifests/${parsed.reference}`
    case 'blob':
    case 'referrers': return `/v2/${parsed.name}/${parsed.kind === 'blob' ? 'blobs' : 'referrers'}/${parsed.digest}`
  }
}

const component = fc.stringMatching(/^[a-z0-9]{1,4}((\.|_|__|-{1,2})[a-z0-9]{1,3}){0,2}$/)
const keyword = fc.constantFrom('manifests', 'blobs', 'tags', 'referrers', 'uploads', 'list', 'v2')
const name = fc.array(fc.oneof(component, keyword), { minLength: 1, maxLength: 12 }).map(list => `hub/${list.join('/')}`)
const digest = fc.string().map(text => digestOf(Buffer.from(text), text.length % 2 === 0 ? 'sha256' : 'sha512'))
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)
const endings = fc.oneof(
  fc.oneof(tag, digest).map(reference => `manifests/${reference}`), digest.map(text => `blobs/${text}`), digest.map(text => `referrers/${text}`), fc.constant('tags/list'),
)

t.test('what is written to the grammar is accepted, and means what it says', async () => {
  fc.assert(fc.property(name, endings, fc.nat(), fc.boolean(), (given, ending, at, isPrefixed) => {
    const target = `/v2/${given}/${ending}`
    const encoded = target.replaceAll(/[a-z:]/g, (char, index: number) => (index > 8 && (index * at) % 7 === 1 ? `%${char.charCodeAt(0).toString(16)}` : char))
    for (const variant of [target, encoded]) {
      const parsed = route(isPrefixed ? variant.replace('/v2/hub/', '/hub/v2/') : variant)
      assert.equal(parsed && render(parsed), target)
    }
  }), { numRuns: 300 })
})

const fragment = fc.constantFrom(
  '/', '/', '/', 'v2', 'hub', 'a', 'manifests', 'blobs', 'tags', 'list', 'referrers', 'uploads', '_catalog', 'latest', DIGEST, `sha256%3A${HEX}`, 'sha256:',
  '..', '.', '%2e', '%2F', '%5c', '%00', '%25', '%', '%zz', '\\', '\0', '\n', ' ', 'é', '?ns=docker.io', '#', '_', '-', 'http://h',
)
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }), fc.string().map(text => `/v2/${text}`),
  fc.array(fragment).map(list => list.join('')), fc.array(fragment).map(list => `/v2/hub/${list.join('')}`), fc.array(fragment).map(list => `/hub/v2/a/${list.join('')}`),
)

t.test('any target is a route that re-renders to it and stays in its directory, or an OciError', async () => {
  fc.assert(fc.property(hostile, target => {
    const parsed = attempt(target)
    if (parsed === undefined || parsed.kind === 'ping') return
    const asked = decodeURIComponent(target.split(/[?#]/, 1)[0] ?? '').replace(/^\/(hub|manifests)\/v2\//, '/v2/$1/')
    if (parsed.kind === 'upload') assert.ok(asked.startsWith(render(parsed)))
    else assert.equal(asked, render(parsed))
    assert.equal(resolve(asked), asked.replace(/\/$/, ''))
  }), { numRuns: 3000 })
})

function attempt(target: string): Route | undefined {
  try {
    return route(target)
  } catch (error) {
    assert.ok(error instanceof OciError)
    return undefined
  }
}

t.test('hostile lengths are answered, too', async t => {
  for (const text of ['a'.repeat(1e5), '%2e'.repeat(5e4), '/a'.repeat(5e4), '_'.repeat(1e5), '-'.repeat(1e5), '%'.repeat(1e5), '/..'.repeat(5e4), '/v2'.repeat(5e4)]) {
    t.equal(attempt(`/v2/hub/${text}/manifests/${text}`), undefined)
    t.equal(attempt(`${text}/v2/`), undefined)
  }
})
