/** The one word that says how a request was answered; the same in Cache-Status, log and metrics. */
export type Outcome = 'hit' | 'revalidated' | 'miss' | 'updated' | 'stale' | 'bypass'

/** How an answer came about. */
export interface Provenance {
  outcome: Outcome
  /** The request joined an upstream request that another one had begun. */
  collapsed?: boolean
  /** The answer was, or is being, kept. */
  stored?: boolean
  /** Of upstream's last answer; absent where it was not asked, or did not answer. */
  upstreamStatus?: number
  /** Since when and why a stale copy is served. */
  warning?: string
}
