import { systemClock } from '../../lib/clock.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { FsBlobStore } from '../../lib/store/fs-blob-store.ts'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { Repositories } from '../../lib/store/repositories.ts'
import { openStorage } from '../../lib/store/storage.ts'
import { recordingLog } from '../upstream/support.ts'
import { bytesOf, KEY, tagOf } from './support.ts'

/** Writes everything that a cache writes, over and over, until it is killed. */
const [, , directory] = process.argv
// Without one it would fill the directory that it happens to run in, for ever.
if (directory === undefined) throw new TypeError('crash-writer: name the storage directory')
const { layout } = await openStorage(directory, systemClock)
const store = new FsBlobStore(layout)
const repositories = new Repositories(layout, new MemoryMetaStore(), systemClock, recordingLog())

for (let round = 0; ; round += 1) {
  const [manifest, layer] = [bytesOf(50_000, round), bytesOf(300_000, -round - 1)]
  const partial = await store.begin(digestOf(layer))
  for (let at = 0; at < layer.length; at += 65_536) await partial.append(layer.subarray(at, at + 65_536))
  await Promise.all([
    partial.commit().then(() => partial.close()),
    store.put(digestOf(manifest), manifest),
    repositories.putManifest(KEY, digestOf(manifest), { mediaType: 'a/b' }, [digestOf(layer)]),
    repositories.putTag(KEY, { tag: tagOf('latest'), digest: digestOf(manifest), confirmedAt: round }),
  ])
  process.stdout.write(`round ${round}.\n`)
}
