import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { MetaStore } from './meta-store.ts'

/** Milliseconds for which a store that failed is left alone, so that a hanging one is waited for rarely. */
const PAUSE = 1000

/** How many keys are remembered to be out of date. Those that are forgotten have run out in the store, too. */
const MAX_MISSED = 50_000

/**
 * Makes a MetaStore advisory: one that fails, or hangs until its own timeout, is a store in which nothing is found.
 * Redis gone, pulls go on.
 */
export class AdvisoryMetaStore implements MetaStore {
  readonly #store: MetaStore
  readonly #clock: Clock
  readonly #log: Log
  /** Keys whose last write did not arrive: what the store has under them is older than the file. */
  readonly #missed = new Set<string>()
  #failing = false
  #pausedUntil = 0

  constructor(store: MetaStore, clock: Clock, log: Log) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#missed.has(key) ? Promise.resolve(undefined) : this.#try(() => this.#store.get(key))
  }

  set(key: string, value: Buffer, ttl: number): Promise<void> {
    return this.#write(key, () => this.#store.set(key, value, ttl))
  }

  delete(key: string): Promise<void> {
    return this.#write(key, () => this.#store.delete(key))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #write(key: string, command: () => Promise<void>): Promise<void> {
    const hasArrived = await this.#try(() => command().then(() => true))
    this.#missed.delete(key)
    if (hasArrived) return
    this.#missed.add(key)
    const [oldest] = this.#missed
    if (oldest !== undefined && this.#missed.size > MAX_MISSED) this.#missed.delete(oldest)
  }

  async #try<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (this.#failing && this.#clock.monotonic() < this.#pausedUntil) return undefined
    try {
      const value = await command()
      if (this.#failing) this.#log.info('redis answers again')
      this.#failing = false
      return value
    } catch (error) {
      if (!this.#failing) this.#log.warn({ err: error }, 'redis does not answer: pulls go on from the file system')
      this.#failing = true
      this.#pausedUntil = this.#clock.monotonic() + PAUSE
      return undefined
    }
  }
}
