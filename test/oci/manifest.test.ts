import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { readManifest, type ManifestFacts } from '../../lib/oci/manifest.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json'
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'

const [A, B, C] = [digestOf(Buffer.from('a')), digestOf(Buffer.from('b')), digestOf(Buffer.from('c'))]
const D = digestOf(Buffer.from('d'), 'sha512')

function read(document: unknown, contentType?: string): ManifestFacts | undefined {
  return readManifest(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), contentType)
}

t.test('the media type is upstream\'s, or else the document\'s', async t => {
  const rows: [contentType: string | undefined, document: unknown, mediaType: string | undefined][] = [
    [MANIFEST, {}, MANIFEST],
    [`${MANIFEST}; charset=utf-8`, { mediaType: INDEX }, MANIFEST],
    ['application/vnd.Corp.Model+json', {}, 'application/vnd.Corp.Model+json'],
    ...[undefined, '', 'application/json', 'Application/JSON;charset=utf-8', 'application/octet-stream', 'binary/octet-stream', 'text/plain', 'json', 'a/b/c', 'ä/b'].flatMap(generic => [
      [generic, { mediaType: DOCKER }, DOCKER],
      [generic, { mediaType: DOCKER_LIST, config: {} }, DOCKER_LIST],
      [generic, { schemaVersion: 2, manifests: [] }, INDEX],
      [generic, { schemaVersion: 2, config: {}, layers: [] }, MANIFEST],
      [generic, { schemaVersion: 1, fsLayers: [] }, SCHEMA1],
      [generic, { errors: [{ code: 'DENIED' }] }, undefined],
      [generic, {}, undefined],
    ] as [string | undefined, unknown, string | undefined][]),
  ]
  for (const [contentType, document, mediaType] of rows) t.equal(read(document, contentType)?.mediaType, mediaType, `${contentType}: ${JSON.stringify(document)}`)
})

t.test('a media type within a document is believed only where it is one', async t => {
  for (const mediaType of ['', 'x', 'text/html', 'TEXT/HTML; x', 'a/b\r\nset-cookie: c=d', 'ä/b', 'application/json', 7, null, {}, [MANIFEST]]) {
    t.equal(read({ mediaType, manifests: [] })?.mediaType, INDEX, JSON.stringify(mediaType))
    t.equal(read({ mediaType }), undefined)
  }
})

t.test('no manifest at all', async t => {
  const manifest = '{"config":{}}'
  for (const text of ['', ' ', '[]', `[${manifest}]`, '7', 'null', '"a"', 'true', '<!DOCTYPE html><html>', `${manifest}}`, '{', '\0']) {
    t.equal(read(text, MANIFEST), undefined, JSON.stringify(text))
  }
  for (const type of ['text/html', 'text/html; charset=utf-8', 'TEXT/HTML']) t.equal(read(manifest, type), undefined, type)
  t.equal(readManifest(Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff]), MANIFEST), undefined)
  t.equal(readManifest(Buffer.from(manifest, 'utf16le'), MANIFEST), undefined)
})

t.test('broken UTF-8 in a text does no harm', async t => {
  const bytes = Buffer.concat([Buffer.from('{"annotations":{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from(`"},"config":{"digest":"${A}"}}`)])
  t.same(readManifest(bytes, MANIFEST), { mediaType: MANIFEST, blobs: [A] })
})

t.test('what a manifest names, once each', async t => {
  const rows: [type: string, document: unknown, blobs: unknown][] = [
    [MANIFEST, { config: { digest: A }, layers: [{ digest: B }, { digest: C }, { digest: B }, { digest: D }] }, [A, B, C, D]],
    [DOCKER, { config: { digest: A }, layers: [{ digest: A }] }, [A]],
    [ARTIFACT, { blobs: [{ digest: A }, { digest: B }] }, [A, B]],
    [MANIFEST, { subject: { digest: A }, layers: [] }, []],
    [MANIFEST, {}, []],
    [INDEX, { manifests: [{ digest: A }], subject: { digest: B } }, []],
    [SCHEMA1, { fsLayers: [{ blobSum: A }] }, []],
  ]
  for (const [type, document, blobs] of rows) t.same(read(document, type), { mediaType: type, blobs })
})

t.test('a descriptor with urls proves nothing, as upstream need not have it', async t => {
  const layers = (urls: unknown): unknown => ({ config: { digest: A }, layers: [{ digest: B, urls }] })
  for (const urls of [['https://mcr.microsoft.com/b'], 'https://mcr.microsoft.com/b', {}, 7, [null]]) t.same(read(layers(urls), DOCKER)?.blobs, [A], JSON.stringify(urls))
  for (const urls of [undefined, null, []]) t.same(read(layers(urls), DOCKER)?.blobs, [A, B], JSON.stringify(urls))
})

t.test('CVE-2021-41190: a list that upstream did not check for this type of manifest proves nothing', async t => {
  const everything = { config: { digest: A }, layers: [{ digest: B }], blobs: [{ digest: C }], manifests: [] }
  const rows: [type: string | undefined, blobs: unknown][] = [
    [MANIFEST, [A, B]], [DOCKER, [A, B]], [ARTIFACT, [C]], [INDEX, []], [DOCKER_LIST, []], [SCHEMA1, []], ['application/vnd.Corp.Model+json', []], [undefined, []],
    ['__proto__/a', []],
  ]
  for (const [type, blobs] of rows) t.same(read(everything, type)?.blobs, blobs, String(type))
})

t.test('keys that Go takes for others prove nothing: upstream has checked another list', async t => {
  for (const [own, seen] of [['LAYERS', 'layers'], ['Layers', 'layers'], ['layerſ', 'layers'], ['Config', 'config']] as const) {
    t.same(read({ [seen]: [{ digest: A }], [own]: [] }, MANIFEST)?.blobs, [], own)
  }
  for (const key of ['Digest', 'DIGEST', 'URLs', 'urlſ']) {
    t.same(read({ config: { digest: A, [key]: 'x' }, layers: [{ digest: B }] }, MANIFEST)?.blobs, [B], key)
  }
})

t.test('hostile descriptors are no digests', async t => {
  const junk = [
    null, 0, 'a', true, [], [[A]], A, {}, { digest: null }, { digest: 7 }, { digest: [A] }, { digest: { toString: A } }, { digest: 'sha256:../../etc' }, { digest: `${A}/..` },
    { digest: A.toUpperCase() }, { digest: 'md5:00' }, { digest: '' },
  ]
  t.same(read({ config: junk, layers: [...junk, { digest: B }] }, MANIFEST)?.blobs, [B])
  for (const layers of [null, 7, 'a', {}, { length: 1, 0: { digest: A } }]) t.same(read({ layers }, MANIFEST)?.blobs, [], JSON.stringify(layers))
  t.same(read(`{"__proto__":{"layers":[{"digest":"${A}"}]},"constructor":{},"layers":[{"__proto__":{"digest":"${A}"}}]}`, MANIFEST)?.blobs, [])
  t.same(({} as Record<string, unknown>)['layers'], undefined)
})

t.test('deep and long documents are read, or refused, without falling over', async t => {
  t.same(read(`{"layers":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, MANIFEST)?.blobs ?? [], [])
  t.same(read({ layers: Array.from({ length: 2e4 }, () => ({ digest: A })) }, MANIFEST)?.blobs, [A])
})

t.test('a manifest that names blobs without end proves a thousand', t => {
  const layers = Array.from({ length: 1500 }, (_, number) => ({ digest: digestOf(Buffer.from(String(number))) }))
  t.equal(read({ layers }, MANIFEST)?.blobs.length, 1000)
  t.end()
})

t.test('any bytes are facts or none', async () => {
  const digests = fc.constantFrom(A, B, 'x', null)
  const descriptor = fc.record({ digest: digests, urls: fc.oneof(fc.jsonValue(), fc.constant(undefined)) }, { requiredKeys: [] })
  const near = fc.record({
    mediaType: fc.oneof(fc.constantFrom(MANIFEST, INDEX, 'text/html'), fc.jsonValue()), config: fc.oneof(descriptor, fc.jsonValue()),
    layers: fc.oneof(fc.array(descriptor), fc.jsonValue()), manifests: fc.jsonValue(),
  }, { requiredKeys: [] }).map(document => Buffer.from(JSON.stringify(document)))
  const contentType = fc.option(fc.oneof(fc.constantFrom(MANIFEST, INDEX, 'application/json'), fc.string()), { nil: undefined })
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), near), contentType, (bytes, type) => {
    const facts = readManifest(bytes, type)
    if (facts === undefined) return
    assert.match(facts.mediaType, /^[!-~]+\/[!-~]+$/)
    assert.doesNotMatch(facts.mediaType, /html/)
    for (const blob of facts.blobs) assert.ok(blob === A || blob === B)
  }), { numRuns: 500 })
})
