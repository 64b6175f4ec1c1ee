import { cold } from './cold.ts'
import { herd } from './herd.ts'
import { manifests } from './manifests.ts'
import type { Scenario } from './scenario.ts'
import { warm } from './warm.ts'

/** In the order in which they run. */
export const SCENARIOS = { cold, warm, herd, manifests } satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS
