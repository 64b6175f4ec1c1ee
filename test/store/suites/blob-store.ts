import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Test } from 'tap'
import { digestOf, type Digest } from '../../../lib/oci/digest.ts'
import type { BlobStore, PartialBlob } from '../../../lib/store/blob-store.ts'
import { bytesOf } from '../support.ts'

const BYTES = Buffer.from('0123456789')
const DIGEST = digestOf(BYTES)
const EMPTY = digestOf(Buffer.alloc(0))
const MIB = 1024 * 1024

/** What every BlobStore does. @param create an empty one */
export function blobStoreSuite(t: Test, create: (t: Test) => Promise<BlobStore>): void {
  const test = (name: string, run: (t: Test, store: BlobStore) => Promise<void>): void => {
    void t.test(name, async t => run(t, await create(t)))
  }

  test('what is not here is undefined', async (t, store) => {
    t.equal(await store.open(DIGEST), undefined)
  })

  test('what is put is given', async (t, store) => {
    const sha512 = digestOf(BYTES, 'sha512')
    for (const digest of [DIGEST, sha512]) {
      await store.put(digest, BYTES)
      await store.put(digest, BYTES)
      t.same(await contentOf(store, digest), BYTES)
    }
  })

  test('what does not match its digest is refused', async (t, store) => {
    await t.rejects(store.put(DIGEST, BYTES.subarray(1)), { code: 'DIGEST_MISMATCH', message: /expected sha256:84d8.+ got sha256:/ })
    t.equal(await store.open(DIGEST), undefined)
    await store.put(DIGEST, BYTES)
    await t.rejects(store.put(DIGEST, BYTES.subarray(1)), { code: 'DIGEST_MISMATCH' })
    t.same(await contentOf(store, DIGEST), BYTES)
  })

  test('many put one digest at once', async (t, store) => {
    const bytes = bytesOf(MIB)
    const digest = digestOf(bytes)
    await Promise.all(Array.from({ length: 32 }, () => store.put(digest, bytes)))
    t.ok((await contentOf(store, digest))?.equals(bytes))
  })

  test('an empty blob is one', async (t, store) => {
    await store.put(EMPTY, Buffer.alloc(0))
    const blob = await store.open(EMPTY)
    t.equal(blob?.size, 0)
    t.same(await blob?.bytes(), Buffer.alloc(0))
    t.same(await rangeOf(store, EMPTY, 0, 0), Buffer.alloc(0))
  })

  test('read gives exactly the bytes from a position on', async (t, store) => {
    const bytes = bytesOf(3 * MIB + 5)
    const digest = digestOf(bytes)
    await store.put(digest, bytes)
    const borders = [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, bytes.length - 1, bytes.length]
    for (const start of borders) {
      for (const end of borders.filter(border => border >= start)) {
        assert.ok(bytes.subarray(start, end).equals(await rangeOf(store, digest, start, end)), `${start}-${end}`)
      }
    }
    await store.put(DIGEST, BYTES)
    await fc.assert(fc.asyncProperty(fc.nat(BYTES.length), fc.nat(BYTES.length), async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)]
      assert.deepEqual(await rangeOf(store, DIGEST, start, end), BYTES.subarray(start, end))
    }))
    t.pass()
  })

  test('a blob may be closed at any time, and twice', async (t, store) => {
    await store.put(DIGEST, BYTES)
    const opened = await Promise.all(Array.from({ length: 3 }, () => store.open(DIGEST)))
    t.equal(await opened[1]?.read(Buffer.alloc(5), BYTES.length), 0, 'behind the end there is nothing')
    for (const blob of [...opened, ...opened]) await blob?.close()
    t.same(await contentOf(store, DIGEST), BYTES)
  })

  test('a partial blob grows, and is not here before it is committed', async (t, store) => {
    const partial = await store.begin(DIGEST)
    t.equal(partial.size, 0)
    const chunk = Buffer.from(BYTES.subarray(0, 4))
    await partial.append(chunk)
    chunk.fill(0)
    await partial.append(Buffer.alloc(0))
    t.equal(partial.size, 4)
    t.equal(hashOf(partial), digestOf(BYTES.subarray(0, 4)))
    t.equal(hashOf(partial), digestOf(BYTES.subarray(0, 4)), 'hashes are copies')
    await partial.append(BYTES.subarray(4))
    t.equal(await store.open(DIGEST), undefined)
    await partial.commit()
    t.same(await contentOf(store, DIGEST), BYTES)
    t.same(await readOf(partial, 2, 5), BYTES.subarray(2, 7), 'and its own readers go on')
    await partial.close()
  })

  test('a partial blob is read within what is written', async (t, store) => {
    const partial = await store.begin(DIGEST)
    await partial.append(BYTES.subarray(0, 6))
    for (const [position, length] of [[0, 6], [0, 3], [3, 3], [5, 1], [4, 100], [6, 1], [6, 100], [7, 1], [100, 5], [2, 0]] as const) {
      t.same(await readOf(partial, position, length), BYTES.subarray(0, 6).subarray(position, position + length), `${length} at ${position}`)
    }
    await partial.close()
  })

  test('an empty blob is committed without a byte', async (t, store) => {
    const partial = await store.begin(EMPTY)
    await partial.commit()
    await partial.close()
    t.same(await contentOf(store, EMPTY), Buffer.alloc(0))
  })

  test('what was appended waits for the next attempt', async (t, store) => {
    const bytes = bytesOf(2 * MIB + 7)
    const digest = digestOf(bytes)
    const cuts = [0, 1, MIB + 3, 2 * MIB, bytes.length]
    for (const [turn, cut] of cuts.entries()) {
      const partial = await store.begin(digest)
      const written = cuts[turn - 1] ?? 0
      t.equal(partial.size, written)
      t.equal(hashOf(partial), digestOf(bytes.subarray(0, written)))
      await partial.append(bytes.subarray(written, cut))
      await partial.close()
    }
    const partial = await store.begin(digest)
    await partial.commit()
    await partial.close()
    t.ok((await contentOf(store, digest))?.equals(bytes))
  })

  test('wrong bytes are not committed', async (t, store) => {
    for (const wrong of [BYTES.subarray(1), Buffer.from('012345678x'), Buffer.concat([BYTES, BYTES]), Buffer.alloc(0)]) {
      const partial = await store.begin(DIGEST)
      await partial.append(wrong)
      await t.rejects(partial.commit(), { code: 'DIGEST_MISMATCH' })
      t.equal(await store.open(DIGEST), undefined)
      await partial.discard()
      t.same(await readOf(partial, 0, 100), wrong, 'open readers keep theirs')
      await partial.close()
    }
    const again = await store.begin(DIGEST)
    t.equal(again.size, 0)
    await again.close()
  })

  test('attempts after a discard do not meet', async (t, store) => {
    const first = await store.begin(DIGEST)
    await first.append(Buffer.from('wrong'))
    await first.discard()
    const second = await store.begin(DIGEST)
    await second.append(BYTES)
    await first.append(Buffer.from(' more'))
    await second.commit()
    t.same(await contentOf(store, DIGEST), BYTES)
    t.same(await readOf(first, 0, 100), Buffer.from('wrong more'))
    await first.discard()
    t.same(await contentOf(store, DIGEST), BYTES, 'a late discard takes nothing that is committed')
    await Promise.all([first.close(), second.close()])
  })

  test('what is here already is committed again, and readers of the first keep it', async (t, store) => {
    await store.put(DIGEST, BYTES)
    const reader = await store.open(DIGEST)
    const partial = await store.begin(DIGEST)
    t.equal(partial.size, 0)
    await partial.append(BYTES)
    await partial.commit()
    await partial.discard()
    await partial.close()
    t.same(await reader?.bytes(), BYTES)
    t.same(await contentOf(store, DIGEST), BYTES)
  })
}

async function contentOf(store: BlobStore, digest: Digest): Promise<Buffer | undefined> {
  const blob = await store.open(digest)
  const size = blob?.size
  const bytes = await blob?.bytes()
  assert.equal(bytes?.length, size)
  assert.ok(bytes === undefined || bytes.equals(await rangeOf(store, digest, 0, size ?? 0)))
  return bytes
}

async function rangeOf(store: BlobStore, digest: Digest, start: number, end: number): Promise<Buffer> {
  const blob = await store.open(digest)
  assert.ok(blob)
  try {
    const buffer = Buffer.alloc(end - start)
    const length = await blob.read(buffer, start)
    return buffer.subarray(0, length)
  } finally {
    await blob.close()
  }
}

function hashOf(partial: PartialBlob): string {
  return `sha256:${partial.hash().digest('hex')}`
}

async function readOf(partial: PartialBlob, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, await partial.read(buffer, position))
}
