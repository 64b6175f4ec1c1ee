import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Test } from 'tap'
import { parseDigest, type Digest } from '../../lib/oci/digest.ts'
import { parseReference, parseRepositoryName, type Tag } from '../../lib/oci/reference.ts'
import type { RepositoryKey } from '../../lib/store/layout.ts'
import { openStorage, type Storage } from '../../lib/store/storage.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { FakeClock } from '../upstream/support.ts'

export const KEY: RepositoryKey = { project: 'hub', repository: parseRepositoryName('library/alpine') }

export function tagOf(text: string): Tag {
  return parseReference(text) as Tag
}

/** Bytes that differ everywhere, so that a shifted or repeated part shows; the same for the same seed. */
export function bytesOf(length: number, seed = 0): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, block) => createHash('sha512').update(`${seed} ${block}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

export function newStorage(t: Test, clock = new FakeClock()): Promise<Storage> {
  return openStorage(temporaryDirectory(t, 'store'), clock)
}

/** The files below a directory, relative to it, sorted. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(directory, join(entry.parentPath, entry.name)))
    .sort()
}

/** The digest that a path of content says. */
export function digestOfPath(path: string): Digest {
  const [algorithm, , hex] = path.split('/')
  return parseDigest(`${algorithm}:${hex}`)
}

/**
 * A file system that really fills up. Mounting takes root.
 * @param limit as mount takes it: `size=64k`, `nr_inodes=12`
 * @returns undefined where it cannot be mounted; under CI that is an error
 */
export function smallDisk(t: Test, limit: string): string | undefined {
  const directory = temporaryDirectory(t, 'disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', limit, 'tmpfs', directory], { stdio: 'pipe' })
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return undefined
  }
  t.teardown(() => { execFileSync('umount', ['--lazy', directory]) })
  return directory
}
