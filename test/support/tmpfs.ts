import { mustRun, run } from './processes.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Teardown } from './upstream/server.ts'

/** A file system of its own and of so many bytes, to fill up. Root only: `if (!needsRoot(t)) return`. */
export async function tmpfs(t: Teardown, size: number): Promise<string> {
  const directory = temporaryDirectory(t, 'tmpfs')
  await mustRun('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory])
  // Lazily: the process that has files open there may be ended after us.
  t.teardown(() => run('umount', ['--lazy', directory]))
  return directory
}
