import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import type { MetaStore } from '../../lib/store/meta-store.ts'
import { Repositories } from '../../lib/store/repositories.ts'
import { FakeClock, recordingLog } from '../upstream/support.ts'
import { filesIn, KEY, newStorage, tagOf } from './support.ts'

const UPSTREAM = 'https://registry-1.docker.io'
const [A, B, C] = [digestOf(Buffer.from('a')), digestOf(Buffer.from('b')), digestOf(Buffer.from('c'))]
const TAG = tagOf('latest')
const INDEX = 'application/vnd.oci.image.index.v1+json'

const COLD: MetaStore = { get: async () => undefined, set: async () => {}, delete: async () => {}, close: async () => {} }

/** One storage directory, and processes that open it one after the other. */
async function scene(t: Test) {
  const clock = new FakeClock()
  const log = recordingLog()
  const { layout } = await newStorage(t, clock)
  const open = async (hot: MetaStore = COLD, upstream = UPSTREAM): Promise<Repositories> => {
    const repositories = new Repositories(layout, hot, clock, log)
    await repositories.bind('hub', upstream)
    return repositories
  }
  const hot = (): MetaStore => {
    const store = new MemoryMetaStore()
    t.teardown(() => store.close())
    return store
  }
  return { clock, log, layout, open, hot }
}

t.test('records survive the process', async t => {
  const { clock, layout, open, hot } = await scene(t)
  const first = await open(hot())
  t.equal(await first.tag(KEY, TAG), undefined)
  t.equal(await first.manifest(KEY, A), undefined)
  t.equal(await first.holdsBlob(KEY, B), false)
  await first.putManifest(KEY, A, { mediaType: INDEX }, [B])
  await first.putTag(KEY, { tag: TAG, digest: A, confirmedAt: clock.now() })
  await first.addBlobs(KEY, [C])
  await first.addBlobs(KEY, [])
  for (const repositories of [first, await open(hot()), await open()]) {
    t.same(await repositories.tag(KEY, TAG), { tag: TAG, digest: A, confirmedAt: clock.now() })
    t.same(await repositories.manifest(KEY, A), { mediaType: INDEX })
    t.same(await Promise.all([A, B, C].map(digest => repositories.holdsBlob(KEY, digest))), [false, true, true])
    const other = { ...KEY, repository: parseRepositoryName('library/other') }
    t.equal(await repositories.tag(other, TAG), undefined, 'of this repository alone')
    t.equal(await repositories.manifest(other, A), undefined)
    t.equal(await repositories.holdsBlob(other, B), false)
    t.equal(await repositories.holdsBlob({ ...KEY, project: 'mirror' }, B), false)
  }
  t.same(filesIn(layout.partials()), [])
})

t.test('the longest names and tags', async t => {
  const { open } = await scene(t)
  const repositories = await open()
  const names = ['x'.repeat(255), `${'x'.repeat(127)}/${'y'.repeat(127)}`, Array(128).fill('z').join('/')]
  for (const name of names) {
    const key = { project: 'hub', repository: parseRepositoryName(name) }
    const tag = tagOf('T'.repeat(128))
    const digest = digestOf(Buffer.from(name), 'sha512')
    await repositories.putTag(key, { tag, digest, confirmedAt: 1 })
    await repositories.putManifest(key, digest, { mediaType: 'a/b' }, [digest])
    t.same(await repositories.tag(key, tag), { tag, digest, confirmedAt: 1 })
    t.same(await repositories.manifest(key, digest), { mediaType: 'a/b' })
    t.ok(await repositories.holdsBlob(key, digest))
  }
})

t.test('a damaged record is none', async t => {
  const { layout, open } = await scene(t)
  const repositories = await open()
  await repositories.putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
  await repositories.putManifest(KEY, A, { mediaType: INDEX }, [])
  const record = { tag: TAG, digest: A, confirmedAt: 1 }
  const junk = ['', '{', 'null', '7', '[]', '{}', '\0\0\0', `[${JSON.stringify(record)}]`]
  const damaged = [{ ...record, digest: 'sha256:00' }, { ...record, digest: null }, { ...record, confirmedAt: '1' }, { ...record, confirmedAt: null }, { ...record, confirmedAt: 1e300 }, { ...record, tag: undefined }]
  for (const text of [...junk, ...damaged.map(value => JSON.stringify(value))]) {
    writeFileSync(layout.tag(KEY, TAG), text)
    t.equal(await repositories.tag(KEY, TAG), undefined, text)
  }
  for (const text of [...junk, '{"mediaType":7}']) {
    writeFileSync(layout.manifest(KEY, A), text)
    t.equal(await repositories.manifest(KEY, A), undefined, text)
  }
  await repositories.putTag(KEY, record)
  t.same(await repositories.tag(KEY, TAG), record, 'and is written anew')
})

t.test('a record that cannot be read is none, and is logged', async t => {
  const { layout, log, open } = await scene(t)
  const repositories = await open()
  for (const path of [layout.tag(KEY, TAG), layout.manifest(KEY, A), layout.blobLink(KEY, A)]) mkdirSync(path, { recursive: true })
  t.equal(await repositories.tag(KEY, TAG), undefined)
  t.equal(await repositories.manifest(KEY, A), undefined)
  t.equal(await repositories.holdsBlob(KEY, A), false)
  t.same(log.lines.map(({ level }) => level), ['error', 'error', 'error'])
})

t.test('a tag in other letters is another tag, also where the file system takes them for one', async t => {
  const { layout, open, hot } = await scene(t)
  for (const repositories of [await open(), await open(hot())]) {
    await repositories.putTag(KEY, { tag: tagOf('V1'), digest: A, confirmedAt: 1 })
    writeFileSync(layout.tag(KEY, tagOf('v1')), readFileSync(layout.tag(KEY, tagOf('V1'))))
    t.equal(await repositories.tag(KEY, tagOf('v1')), undefined)
    t.equal((await repositories.tag(KEY, tagOf('V1')))?.digest, A)
  }
})

t.test('another upstream under the same project name: nothing of the old one is seen, and nothing is lost', async t => {
  const { clock, layout, log, open, hot } = await scene(t)
  const shared = hot()
  const first = await open(shared)
  await first.putManifest(KEY, A, { mediaType: INDEX }, [B])
  await first.putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
  t.ok(await first.holdsBlob(KEY, B))
  t.ok(await (await open(shared)).tag(KEY, TAG), 'the same upstream finds its own')
  t.same(log.lines, [])

  const aside = layout.projectAside('hub', clock.now())
  for (const second of [await open(shared, 'https://other'), await open(COLD, 'https://other')]) {
    t.equal(await second.tag(KEY, TAG), undefined)
    t.equal(await second.manifest(KEY, A), undefined)
    t.equal(await second.holdsBlob(KEY, B), false)
  }
  t.same(log.lines, [{ level: 'warn', message: 'project points to another upstream: its records are set aside' }])
  t.same(readdirSync(layout.repositories()).sort(), [aside.split('/').at(-1), 'hub'])
  t.equal(filesIn(aside).length, 4)

  const second = await open(shared, 'https://other')
  await second.putTag(KEY, { tag: TAG, digest: C, confirmedAt: 2 })
  t.equal((await second.tag(KEY, TAG))?.digest, C)
  clock.advance(1)
  t.not((await (await open(shared)).tag(KEY, TAG))?.digest, C, 'nor does it come back with the first')
})

t.test('records of nobody knows which upstream are set aside, too', async t => {
  for (const text of ['', '{', '{"upstream":7}', '[]']) {
    const { layout, open } = await scene(t)
    await (await open()).putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
    writeFileSync(layout.projectUpstream('hub'), text)
    t.equal(await (await open()).tag(KEY, TAG), undefined, text)
    t.equal(readdirSync(layout.repositories()).length, 2)
  }
})

t.test('projects are bound each to their own', async t => {
  const { layout, open } = await scene(t)
  const repositories = await open()
  await repositories.bind('mirror', 'https://other')
  await repositories.putTag({ ...KEY, project: 'mirror' }, { tag: TAG, digest: A, confirmedAt: 1 })
  await repositories.bind('hub', 'https://third')
  t.ok(await repositories.tag({ ...KEY, project: 'mirror' }, TAG))
  t.same(JSON.parse(readFileSync(layout.projectUpstream('mirror'), 'utf8')), { upstream: 'https://other' })
})

t.test('hot records are answered without the file', async t => {
  const { layout, open, hot } = await scene(t)
  const store = hot()
  const repositories = await open(store)
  await repositories.putManifest(KEY, A, { mediaType: INDEX }, [B])
  await repositories.putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
  t.ok(await repositories.holdsBlob(KEY, B))
  const all = async () => [(await repositories.tag(KEY, TAG))?.digest, (await repositories.manifest(KEY, A))?.mediaType, await repositories.holdsBlob(KEY, B)]
  rmSync(layout.project('hub'), { recursive: true })
  t.same(await all(), [A, INDEX, true])
  await store.close()
  t.same(await all(), [undefined, undefined, false], 'until the hot records go')
})

t.test('what the file says is hot from the first look on, and what is not there is looked for again', async t => {
  const { layout, open, hot } = await scene(t)
  const repositories = await open(hot())
  const writer = await open()
  t.equal(await repositories.tag(KEY, TAG), undefined)
  t.equal(await repositories.holdsBlob(KEY, B), false)
  await writer.putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
  await writer.addBlobs(KEY, [B])
  t.equal((await repositories.tag(KEY, TAG))?.digest, A)
  t.equal(await repositories.holdsBlob(KEY, B), true)
  rmSync(layout.project('hub'), { recursive: true })
  t.equal((await repositories.tag(KEY, TAG))?.digest, A)
  t.equal(await repositories.holdsBlob(KEY, B), true)
})

t.test('damaged hot records are looked up in the file', async t => {
  const { open } = await scene(t)
  const junk: MetaStore = { ...COLD, get: async () => Buffer.from('{') }
  await (await open()).putTag(KEY, { tag: TAG, digest: A, confirmedAt: 1 })
  t.equal((await (await open(junk)).tag(KEY, TAG))?.digest, A)
})

t.test('a mere confirmation reaches the disk once a minute', async t => {
  const { clock, layout, open, hot } = await scene(t)
  const repositories = await open(hot())
  clock.advance(60_000 - (clock.now() % 60_000))
  const inode = (): number => statSync(layout.tag(KEY, TAG)).ino
  let record = { tag: TAG, digest: A, confirmedAt: clock.now() }
  await repositories.putTag(KEY, record)
  const confirm = async (changes: Partial<typeof record> = {}): Promise<boolean> => {
    const before = inode()
    const next = { ...record, confirmedAt: clock.now(), ...changes }
    await repositories.putTag(KEY, next, record)
    record = next
    t.same(await repositories.tag(KEY, TAG), next)
    return inode() !== before
  }
  clock.advance(59_999)
  t.equal(await confirm(), false)
  t.equal((await (await open()).tag(KEY, TAG))?.confirmedAt, clock.now() - 59_999, 'a restart knows the older one')
  clock.advance(1)
  t.equal(await confirm(), true)
  t.equal((await (await open()).tag(KEY, TAG))?.confirmedAt, clock.now())
  t.equal(await confirm({ digest: B }), true, 'another digest is written at once')
  t.equal(await confirm({ confirmedAt: record.confirmedAt - 120_000 }), true, 'and so is a clock that was set back')
})

t.test('the blobs of a manifest are there before it is', async t => {
  const { layout, open } = await scene(t)
  const repositories = await open()
  mkdirSync(join(dirname(dirname(layout.blobLink(KEY, B)))), { recursive: true })
  writeFileSync(dirname(layout.blobLink(KEY, B)), 'in the way')
  await t.rejects(repositories.putManifest(KEY, A, { mediaType: INDEX }, [B]))
  t.equal(await repositories.manifest(KEY, A), undefined)
})
