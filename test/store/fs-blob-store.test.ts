import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { FsBlobStore } from '../../lib/store/fs-blob-store.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { Repositories } from '../../lib/store/repositories.ts'
import { openStorage } from '../../lib/store/storage.ts'
import { startScript } from '../script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { FakeClock, recordingLog } from '../upstream/support.ts'
import { blobStoreSuite } from './suites/blob-store.ts'
import { bytesOf, digestOfPath, filesIn, KEY, newStorage, smallDisk, tagOf } from './support.ts'

const BYTES = Buffer.from('0123456789')
const DIGEST = digestOf(BYTES)
const HEX = DIGEST.slice(7)
const ONLY_ROOT = 'not tried: only root can mount a small disk'

t.test('FsBlobStore is a BlobStore', async t => blobStoreSuite(t, async t => new FsBlobStore((await newStorage(t)).layout)))

t.test('files lie where the layout says, and none is left over', async t => {
  const { layout } = await newStorage(t)
  const store = new FsBlobStore(layout)
  const partial = await store.begin(DIGEST)
  await partial.append(BYTES)
  t.same(filesIn(layout.partials()), [`sha256-${HEX}`])
  t.same(filesIn(layout.blobs()), [])
  await partial.commit()
  await partial.close()
  await store.put(digestOf(BYTES, 'sha512'), BYTES)
  t.same(filesIn(layout.partials()), [])
  t.same(filesIn(layout.blobs()).map(path => digestOfPath(path)), [DIGEST, digestOf(BYTES, 'sha512')])
  t.equal(filesIn(layout.blobs())[0], `sha256/84/${HEX}`)
})

t.test('what is open stays readable when the file is removed', async t => {
  const { layout } = await newStorage(t)
  const store = new FsBlobStore(layout)
  await store.put(DIGEST, BYTES)
  const blob = await store.open(DIGEST)
  rmSync(layout.blob(DIGEST))
  t.equal(await store.open(DIGEST), undefined)
  t.same(await blob?.bytes(), BYTES)
})

t.test('a damaged leftover is refuted when all is there', async t => {
  const { layout } = await newStorage(t)
  writeFileSync(layout.partial(DIGEST), '0x2')
  const partial = await new FsBlobStore(layout).begin(DIGEST)
  t.equal(partial.size, 3)
  await partial.append(BYTES.subarray(3))
  await t.rejects(partial.commit(), { code: 'DIGEST_MISMATCH' })
  await partial.close()
  t.same(filesIn(layout.blobs()), [])
})

t.test('what stands in the way is the disk\'s error when writing, and nothing found when reading', async t => {
  const { layout } = await newStorage(t)
  const store = new FsBlobStore(layout)
  writeFileSync(join(layout.blobs(), 'sha256'), '')
  t.equal(await store.open(DIGEST), undefined)
  await t.rejects(store.put(DIGEST, BYTES), { code: 'ENOTDIR' })
  const partial = await store.begin(DIGEST)
  await partial.append(BYTES)
  await t.rejects(partial.commit(), { code: 'ENOTDIR' })
  t.same(filesIn(layout.partials()), [`sha256-${HEX}`], 'nothing is left but what was fetched')
  await partial.close()
  rmSync(layout.partials(), { recursive: true })
  await t.rejects(store.begin(DIGEST), { code: 'ENOENT' })
  mkdirSync(layout.partial(DIGEST), { recursive: true })
  await t.rejects(store.begin(DIGEST), { code: 'EISDIR' })
})

t.test('a disk that is full', async t => {
  const disk = smallDisk(t, 'size=64k')
  if (disk === undefined) return void t.pass(ONLY_ROOT, { skip: true })
  const { layout } = await openStorage(join(disk, 'data'), new FakeClock())
  const store = new FsBlobStore(layout)
  const bytes = bytesOf(200_000)

  await t.test('a short write counts, and what is there is what is hashed', async t => {
    const partial = await store.begin(digestOf(bytes))
    await partial.append(bytes.subarray(0, 10_000))
    await t.rejects(partial.append(bytes.subarray(10_000)), { code: 'ENOSPC' })
    const { size } = statSync(layout.partial(digestOf(bytes)))
    t.ok(size > 10_000 && size < 65_536, `${size} bytes fit`)
    t.equal(partial.size, size)
    t.equal(`sha256:${partial.hash().digest('hex')}`, digestOf(bytes.subarray(0, size)))
    t.ok((await readFile(layout.partial(digestOf(bytes)))).equals(bytes.subarray(0, size)))
    await partial.close()
    const again = await store.begin(digestOf(bytes))
    t.equal(again.size, size)
    await again.discard()
    await again.close()
  })

  await t.test('a put that does not fit leaves nothing behind, and what is discarded makes room', async t => {
    await t.rejects(store.put(digestOf(bytes), bytes), { code: 'ENOSPC' })
    t.same([...filesIn(layout.partials()), ...filesIn(layout.blobs())], [])
    const small = bytes.subarray(0, 40_000)
    await store.put(digestOf(small), small)
    t.ok((await (await store.open(digestOf(small)))?.bytes())?.equals(small))
  })
})

t.test('a disk without room for another directory', async t => {
  const disk = smallDisk(t, 'nr_inodes=12')
  if (disk === undefined) return void t.pass(ONLY_ROOT, { skip: true })
  const { layout } = await openStorage(join(disk, 'data'), new FakeClock())
  const store = new FsBlobStore(layout)
  const partial = await store.begin(DIGEST)
  await partial.append(BYTES)
  const fillers = takeInodes(disk)
  // Node's recursive mkdir says ENOENT on a full disk.
  await t.rejects(partial.commit(), { code: /^ENO(SPC|ENT)$/ })
  t.equal(await store.open(DIGEST), undefined, 'a commit that is refused makes nothing visible')
  for (const path of fillers) rmSync(path)
  await partial.commit()
  await partial.close()
  t.same(filesIn(layout.blobs()), [`sha256/84/${HEX}`])
})

/** @returns the empty files that fitted */
function takeInodes(directory: string): string[] {
  const paths: string[] = []
  try {
    for (;;) {
      const path = join(directory, `filler-${paths.length}`)
      writeFileSync(path, '')
      paths.push(path)
    }
  } catch {
    return paths
  }
}

t.test('kill -9 leaves whole files, and what the next start makes good', async t => {
  await Promise.all([3, 8].map(async rounds => {
    const directory = temporaryDirectory(t, 'crash')
    const writer = startScript(t, new URL('crash-writer.ts', import.meta.url), [directory])
    await writer.line(new RegExp(`round ${rounds}\\.`))
    await writer.kill()
    const { layout } = await openStorage(directory, new FakeClock())
    const store = new FsBlobStore(layout)
    const repositories = new Repositories(layout, new MemoryMetaStore(), new FakeClock(), recordingLog())

    const blobs = filesIn(layout.blobs())
    t.ok(blobs.length >= 2 * rounds, `${blobs.length} blobs`)
    for (const path of blobs) t.equal(digestOf(await readFile(join(layout.blobs(), path))), digestOfPath(path))

    const record = await repositories.tag(KEY, tagOf('latest'))
    t.ok(record && record.confirmedAt >= rounds, 'the tag as it was, or as it became')
    const manifests = filesIn(dirname(layout.manifest(KEY, DIGEST)))
    t.ok(manifests.length > rounds)
    for (const name of manifests) t.same(JSON.parse(await readFile(join(dirname(layout.manifest(KEY, DIGEST)), name), 'utf8')), { mediaType: 'a/b' })

    const partials = filesIn(layout.partials())
    t.ok(partials.length <= 1, 'at most the fill that was cut')
    const layer = bytesOf(300_000, -rounds - 2)
    const partial = await store.begin(digestOf(layer))
    await partial.append(layer.subarray(partial.size))
    await partial.commit()
    await partial.close()
  }))
})
