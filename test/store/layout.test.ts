import assert from 'node:assert/strict'
import { isAbsolute, normalize, relative } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { isRepositoryName, isTag } from '../../lib/oci/reference.ts'
import { Layout } from '../../lib/store/layout.ts'
import { KEY, tagOf } from './support.ts'

const layout = new Layout('/data')
const DIGEST = digestOf(Buffer.from(''))
const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

t.test('everything has its place', async t => {
  t.same([
    layout.format(), layout.blob(DIGEST), layout.partial(DIGEST), layout.projectUpstream('hub'), layout.projectAside('hub', 5),
    layout.tag(KEY, tagOf('3.20')), layout.manifest(KEY, DIGEST), layout.blobLink(KEY, DIGEST),
  ], [
    '/data/entrepot.json',
    `/data/blobs/sha256/e3/${HEX}`,
    `/data/partial/sha256-${HEX}`,
    '/data/repositories/hub/_upstream.json',
    '/data/repositories/_hub-until-5',
    '/data/repositories/hub/library/alpine/_tags/3.20.json',
    `/data/repositories/hub/library/alpine/_manifests/sha256-${HEX}.json`,
    `/data/repositories/hub/library/alpine/_blobs/sha256-${HEX}`,
  ])
})

t.test('no repository lies within another\'s records, and none outside of its project', async () => {
  const names = fc.array(fc.constantFrom('_tags', '_blobs', 'a', '..', 'manifests'), { minLength: 1, maxLength: 3 }).map(list => list.join('/')).filter(isRepositoryName)
  const tags = fc.constantFrom(...['_tags', '_manifests', '__proto__', 'a'].filter(isTag))
  fc.assert(fc.property(names, names, tags, (one, other, tag) => {
    const path = layout.tag({ project: 'hub', repository: one }, tag)
    assert.equal(normalize(path), path)
    assert.match(path, /^\/data\/repositories\/hub\//)
    const inside = relative(layout.tag({ project: 'hub', repository: other }, tag), path)
    assert.ok(inside === '' || inside.startsWith('..') || isAbsolute(inside))
    assert.equal(inside === '', one === other)
  }))
})
