import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ACCEPT_MANIFESTS, bareMediaType, isGenericMediaType, isMediaType, isSchema1 } from '../../lib/oci/media-types.ts'

t.test('upstream is asked for indexes first, and for anything last', async t => {
  t.equal(ACCEPT_MANIFESTS, 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, '
    + 'application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, */*')
})

t.test('a bare media type has no parameters, and its own letters', async t => {
  for (const [header, type] of [
    [undefined, ''],
    ['', ''],
    [' ; charset=utf-8', ''],
    ['application/json', 'application/json'],
    ['application/json;charset=utf-8', 'application/json'],
    ['\tapplication/json ; charset="a;b"', 'application/json'],
    ['application/vnd.Corp.Model+json', 'application/vnd.Corp.Model+json'],
  ] as const) t.equal(bareMediaType(header), type, String(header))
})

t.test('types that say nothing', async t => {
  for (const type of ['', 'application/octet-stream', 'binary/octet-stream', 'application/json', 'text/plain', 'Application/JSON']) t.ok(isGenericMediaType(type), type)
  for (const type of ['application/vnd.oci.image.index.v1+json', 'text/html']) t.notOk(isGenericMediaType(type), type)
})

t.test('what may stand in Content-Type', async t => {
  for (const type of ['application/vnd.oci.image.manifest.v1+json', 'a/b', 'application/vnd.Corp.Model+json', 'x-a!#$&-^_/y.1']) t.ok(isMediaType(type), type)
  for (const type of ['', 'json', 'a/', '/b', 'a/b/c', 'a/b; c=d', 'a/b\r\nset-cookie: c=d', 'a/b\0', 'a /b', 'ä/b', '*/*', `a/${'b'.repeat(128)}`]) t.notOk(isMediaType(type), type)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
    if (isMediaType(text)) assert.match(text, /^[!-~]+$/)
  }))
})

t.test('schema1, signed or not', async t => {
  t.ok(isSchema1('application/vnd.docker.distribution.manifest.v1+json'))
  t.ok(isSchema1('application/vnd.docker.distribution.manifest.v1+prettyjws'))
  t.notOk(isSchema1('application/vnd.docker.distribution.manifest.v2+json'))
})
