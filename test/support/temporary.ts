import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './upstream/server.ts'

/** A directory of the test's own, outside the checkout: sockets need short paths. Removed at the test's end. */
export function temporaryDirectory(t: Teardown, name = 'test'): string {
  const directory = mkdtempSync(join(tmpdir(), `entrepot-${name}-`))
  t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}
