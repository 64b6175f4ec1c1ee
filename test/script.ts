import { fileURLToPath } from 'node:url'
import { start, type Running } from './support/processes.ts'
import type { Teardown } from './support/upstream/server.ts'

/** Runs a TypeScript file as this process runs: from source, on the same Node. */
export function startScript(t: Teardown, url: URL, args: string[]): Running {
  // How tap has TypeScript loaded: told apart by these two on Node 20, which cannot do so itself.
  const { TS_NODE_TRANSPILE_ONLY = '1', TAP_TYPE_STRIP_ONLY = '0' } = process.env
  return start(t, process.execPath, [...process.execArgv, fileURLToPath(url), ...args], { env: { TS_NODE_TRANSPILE_ONLY, TAP_TYPE_STRIP_ONLY } })
}
