import type { Teardown } from '../../test/support/upstream/server.ts'
import type { Drainer } from '../load/drainer.ts'
import type { LoadTool } from '../load/rate.ts'
import type { Measured } from '../measure.ts'
import type { Upstream } from '../servers/upstream.ts'
import type { Sizes } from '../options.ts'

/** What every scenario is given: clients, an upstream, and how much of everything. */
export interface Bench {
  drain: Drainer
  load: LoadTool
  upstream: Upstream
  sizes: Sizes
  /** To be called before what writes so many bytes. */
  settleDisk(bytes: number): Promise<void>
  /** Flags of Node for entrepot. */
  nodeOptions: readonly string[]
}

/** Starts its own servers, so that each scenario begins with fresh processes and empty caches. */
export type Scenario = (t: Teardown, bench: Bench) => Promise<Measured[]>

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB
