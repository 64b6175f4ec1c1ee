import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Small files that survive a crash: a temporary file, fsync, rename, fsync of the directory. After a kill at any moment
 * the old content is there, or the new, never something between.
 * @param temporary a directory on the same file system
 * @throws the file system's error; nothing is left behind then
 */
export async function writeDurably(temporary: string, path: string, bytes: Uint8Array | string): Promise<void> {
  const temporaryPath = join(temporary, `tmp-${randomUUID()}`)
  try {
    await writeSynced(temporaryPath, bytes)
    await publish(temporaryPath, path)
  } catch (error) {
    await rm(temporaryPath, { force: true })
    throw error
  }
}

/** Moves a file that is synced already to its place, durably. */
export async function publish(from: string, to: string): Promise<void> {
  const directory = dirname(to)
  await mkdir(directory, { recursive: true })
  await rename(from, to)
  await syncDirectory(directory)
}

/** Creates empty files, each atomically, in one directory. */
export async function createMarkers(paths: readonly string[]): Promise<void> {
  const first = paths[0]
  if (first === undefined) return
  const directory = dirname(first)
  await mkdir(directory, { recursive: true })
  for (const path of paths) await (await open(path, 'a')).close()
  await syncDirectory(directory)
}

/** @returns undefined where there is no such file */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Whether an error says that the file does not exist: also when a parent is a file, or a name too long ever to have been stored. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG'
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function writeSynced(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
