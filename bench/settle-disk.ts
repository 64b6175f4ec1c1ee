import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from '../test/support/processes.ts'
import { temporaryDirectory } from '../test/support/temporary.ts'
import type { Teardown } from '../test/support/upstream/server.ts'

const CHUNK = Buffer.alloc(1024 * 1024, 1)

/**
 * Makes the next bytes written cost what writing costs: what was written so far is on the disk, and there are free pages
 * for so many bytes that were in use a moment ago. In a virtual machine, a page that was not must first be got from the
 * host: measured, 200 MB/s instead of 3.5 GB/s, for whoever happens to write then.
 */
export function diskSettler(t: Teardown): (bytes: number) => Promise<void> {
  const path = join(temporaryDirectory(t, 'bench-pages'), 'pages')
  return async bytes => {
    await mustRun('sync', [])
    const file = openSync(path, 'w')
    for (let written = 0; written < bytes; written += CHUNK.length) writeSync(file, CHUNK)
    closeSync(file)
    rmSync(path)
  }
}
