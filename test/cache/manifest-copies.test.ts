import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { ManifestCopies } from '../../lib/cache/manifest-copies.ts'
import type { Target } from '../../lib/cache/project.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { FsBlobStore } from '../../lib/store/fs-blob-store.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { Repositories } from '../../lib/store/repositories.ts'
import type { Upstream } from '../../lib/upstream/upstream.ts'
import { filesIn, newStorage } from '../store/support.ts'
import { FakeClock, recordingLog } from '../upstream/support.ts'

const BYTES = Buffer.from('{ "schemaVersion": 2,\n"manifests": [] }\n')
const DIGEST = digestOf(BYTES)
const LAYER = digestOf(Buffer.from('layer'))
const FACTS = { mediaType: 'application/vnd.oci.image.index.v1+json', blobs: [LAYER] }

function target(name: string, project = 'hub'): Target {
  const policy = { freshness: 0, isImmutable: () => false, serveStaleOn: new Set<never>() }
  return { project: { name: project, upstream: {} as Upstream, policy }, repository: parseRepositoryName(name) }
}

async function scene(t: Test) {
  const { layout } = await newStorage(t)
  const log = recordingLog()
  /** As after a restart: nothing is hot. */
  const open = () => {
    const hot = new MemoryMetaStore()
    t.teardown(() => hot.close())
    const repositories = new Repositories(layout, hot, new FakeClock(), log)
    return { hot, repositories, copies: new ManifestCopies(new FsBlobStore(layout), repositories, hot, log) }
  }
  return { layout, log, open, ...open() }
}

t.test('a manifest is given as it was put, byte by byte, also after a restart', async t => {
  const { open, copies, repositories } = await scene(t)
  t.equal(await copies.get(target('a'), DIGEST), undefined)
  t.equal(await copies.put(target('a'), DIGEST, FACTS, BYTES), true)
  for (const some of [copies, open().copies]) t.same(await some.get(target('a'), DIGEST), { digest: DIGEST, mediaType: FACTS.mediaType, bytes: BYTES })
  t.ok(await repositories.holdsBlob({ project: 'hub', repository: parseRepositoryName('a') }, LAYER), 'and proves its blobs')
})

t.test('CVE-2026-35172: a manifest is given only where it was put, though its bytes are here', async t => {
  const { copies } = await scene(t)
  await copies.put(target('a'), DIGEST, FACTS, BYTES)
  for (const other of [target('b'), target('a', 'mirror'), target('a/a')]) t.equal(await copies.get(other, DIGEST), undefined)
  await copies.put(target('b'), DIGEST, { mediaType: 'a/b', blobs: [] }, BYTES)
  t.equal((await copies.get(target('b'), DIGEST))?.mediaType, 'a/b', 'with the type that it has there')
  t.equal((await copies.get(target('a'), DIGEST))?.mediaType, FACTS.mediaType)
})

t.test('a manifest whose bytes are gone is missing, hot or not', async t => {
  const { layout, open, copies } = await scene(t)
  await copies.put(target('a'), DIGEST, FACTS, BYTES)
  rmSync(layout.blob(DIGEST))
  t.ok(await copies.get(target('a'), DIGEST), 'hot bytes are as good')
  t.equal(await open().copies.get(target('a'), DIGEST), undefined)
})

t.test('small manifests are hot from the first look on, large ones are read each time', async t => {
  const { layout, open, copies } = await scene(t)
  for (const [size, isHot] of [[256 * 1024, true], [256 * 1024 + 1, false], [5 * 1024 * 1024, false]] as const) {
    const bytes = Buffer.alloc(size, ' ')
    const digest = digestOf(bytes)
    await copies.put(target('a'), digest, FACTS, bytes)
    const again = open().copies
    t.ok((await again.get(target('a'), digest))?.bytes.equals(bytes))
    rmSync(layout.blob(digest))
    for (const some of [copies, again]) t.equal((await some.get(target('a'), digest)) !== undefined, isHot, `${size} bytes`)
  }
})

t.test('a disk that refuses is told, logged, and leaves no manifest half known', async t => {
  const { layout, log, open, copies } = await scene(t)
  rmSync(layout.blobs(), { recursive: true })
  writeFileSync(layout.blobs(), 'in the way')
  t.equal(await copies.put(target('a'), DIGEST, FACTS, BYTES), false)
  t.same(log.lines, [{ level: 'warn', message: 'manifest could not be stored: it is served all the same' }])
  for (const some of [copies, open().copies]) t.equal(await some.get(target('a'), DIGEST), undefined)
  t.same(filesIn(layout.repositories()), [])
})

t.test('bytes that do not match their digest are not kept', async t => {
  const { copies } = await scene(t)
  t.equal(await copies.put(target('a'), LAYER, FACTS, BYTES), false)
  t.equal(await copies.get(target('a'), LAYER), undefined)
})

t.test('quay #5877: bytes that are damaged, on disk or in a shared store, are missing', async t => {
  const { layout, log, open, copies, hot } = await scene(t)
  await copies.put(target('a'), DIGEST, FACTS, BYTES)
  await hot.set(`content:${DIGEST}`, Buffer.from('{}'), 60)
  t.same((await copies.get(target('a'), DIGEST))?.bytes, BYTES, 'the disk has them')
  for (const damaged of [Buffer.alloc(0), BYTES.subarray(1), Buffer.from(BYTES).fill('x', 3, 4)]) {
    writeFileSync(layout.blob(DIGEST), damaged)
    t.equal(await open().copies.get(target('a'), DIGEST), undefined)
  }
  rmSync(layout.blob(DIGEST))
  mkdirSync(layout.blob(DIGEST))
  t.equal(await open().copies.get(target('a'), DIGEST), undefined, 'nor does an I/O error fail the pull')
  t.match(log.lines.map(({ message }) => message), [...Array<RegExp>(3).fill(/damaged on disk/), /cannot be read/])
})
