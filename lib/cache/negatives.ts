import type { Clock } from '../clock.ts'
import type { FailureReason } from '../config/config.ts'
import type { MetaStore } from '../store/meta-store.ts'
import { UpstreamFailure } from '../upstream/failure.ts'
import { isNegativeAnswer } from './freshness.ts'

/** Seconds: long enough for a storm of retries, short enough for whoever has just pushed or signed the image. */
const LIFETIME = 5

/** Upstream said so a moment ago, and was not asked again. */
export class RememberedFailure extends UpstreamFailure {}

interface NegativeRecord {
  reason: FailureReason
  message: string
  status: number | undefined
  until: number
}

/** "Not there" and "not for you", remembered for a few seconds. */
export class Negatives {
  readonly #hot: MetaStore
  readonly #clock: Clock

  constructor(hot: MetaStore, clock: Clock) {
    this.#hot = hot
    this.#clock = clock
  }

  /**
   * Runs `ask` unless its failure is remembered, and remembers the failure.
   * @throws RememberedFailure, or what `ask` throws
   */
  async guard<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = await this.#recall(key)
    if (known !== undefined) throw known
    try {
      return await ask()
    } catch (error) {
      if (error instanceof UpstreamFailure && isNegativeAnswer(error.reason)) await this.#remember(key, error)
      throw error
    }
  }

  async #recall(key: string): Promise<RememberedFailure | undefined> {
    const bytes = await this.#hot.get(hotKey(key))
    const record = bytes && parseRecord(bytes)
    if (record === undefined) return undefined
    const left = record.until - this.#clock.now()
    // More than a whole life is left only where the clock was set back.
    if (left <= 0 || left > LIFETIME * 1000) return undefined
    const { reason, message, status } = record
    return new RememberedFailure(reason, message, status === undefined ? {} : { status })
  }

  #remember(key: string, failure: UpstreamFailure): Promise<void> {
    const { reason, message, status } = failure
    const record: NegativeRecord = { reason, message, status, until: this.#clock.now() + LIFETIME * 1000 }
    return this.#hot.set(hotKey(key), Buffer.from(JSON.stringify(record)), LIFETIME)
  }
}

function hotKey(key: string): string {
  return `negative:${key}`
}

/** @returns undefined for what is no record of ours: another version may share the store */
function parseRecord(bytes: Buffer): NegativeRecord | undefined {
  try {
    const { reason, message, status, until } = Object(JSON.parse(bytes.toString())) as Partial<NegativeRecord>
    const isRecord = reason !== undefined && isNegativeAnswer(reason) && typeof message === 'string' && typeof until === 'number'
    return isRecord ? { reason, message, status: typeof status === 'number' ? status : undefined, until } : undefined
  } catch {
    return undefined
  }
}
