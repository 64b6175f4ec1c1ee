import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { errorCode, isAbsent, readIfPresent, writeDurably } from './durable.ts'
import { Layout } from './layout.ts'

const FORMAT = 1

/** An interrupted fill that nobody asked for again within a day is not worth its room. */
const PARTIAL_LIFETIME = 24 * 60 * 60 * 1000

export interface Storage {
  layout: Layout
  /** Made once for a directory: what shared records of it are kept under. */
  id: string
}

export class StorageError extends Error {
  override readonly name = 'StorageError'
}

/**
 * Makes a storage directory ready: creates what is missing, checks the format, removes what a killed process left.
 * @throws StorageError, with a message for the user, when the directory cannot be used
 */
export async function openStorage(directory: string, clock: Clock): Promise<Storage> {
  const layout = new Layout(directory)
  try {
    for (const path of [layout.blobs(), layout.partials(), layout.repositories()]) await mkdir(path, { recursive: true })
    const id = await readFormat(layout)
    await removeLeftovers(layout, clock)
    return { layout, id }
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new StorageError(`storage.directory ${directory} cannot be used (${errorCode(error) ?? String(error)}): make it a writable directory`, { cause: error })
  }
}

async function readFormat(layout: Layout): Promise<string> {
  const known = await readIfPresent(layout.format())
  if (known === undefined) {
    const id = randomUUID()
    await writeDurably(layout.partials(), layout.format(), `${JSON.stringify({ format: FORMAT, id })}\n`)
    return id
  }
  const { format, id } = parseFormat(layout, known)
  if (format === FORMAT && typeof id === 'string' && id !== '') return id
  if (typeof format !== 'number' || format === FORMAT) throw notOurs(layout, 'not written by entrepot')
  throw new StorageError(`${layout.format()}: on-disk format ${format} is not format ${FORMAT}: use the entrepot that wrote it, or another storage.directory`)
}

function parseFormat(layout: Layout, bytes: Buffer): { format?: unknown; id?: unknown } {
  try {
    return Object(JSON.parse(bytes.toString())) as { format?: unknown; id?: unknown }
  } catch (error) {
    throw notOurs(layout, 'not JSON', error)
  }
}

function notOurs(layout: Layout, what: string, cause?: unknown): StorageError {
  return new StorageError(`${layout.format()}: ${what}: use another storage.directory, or delete this file if the directory is entrepot's`, { cause })
}

async function removeLeftovers(layout: Layout, clock: Clock): Promise<void> {
  for (const name of await readdir(layout.partials())) {
    const path = join(layout.partials(), name)
    if (name.startsWith('tmp-') || clock.now() - await modifiedAt(path) > PARTIAL_LIFETIME) await rm(path, { force: true })
  }
}

/** What is gone already, as another process starts as well, is as old as can be. */
async function modifiedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (isAbsent(error)) return -Infinity
    throw error
  }
}
