import NodeCache from 'node-cache'
import type { MetaStore } from './meta-store.ts'

/** Bounds of the process's own memory: a manifest is a few KiB, a record some hundred bytes. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_KEYS = 50_000

/** MetaStore within the process, on node-cache, which has no bound on bytes and refuses what is above its bound on keys. */
export class MemoryMetaStore implements MetaStore {
  readonly #cache = new NodeCache({ useClones: false, checkperiod: 60 })
  readonly #maxBytes: number

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Promise<Buffer | undefined> {
    return Promise.resolve(this.#cache.get<Buffer>(key))
  }

  set(key: string, value: Buffer, ttl: number): Promise<void> {
    this.#cache.del(key)
    if (value.length <= this.#maxBytes) {
      this.#makeRoom(value.length)
      this.#cache.set(key, value, ttl)
    }
    return Promise.resolve()
  }

  delete(key: string): Promise<void> {
    this.#cache.del(key)
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#cache.close()
    this.#cache.flushAll()
    return Promise.resolve()
  }

  /** Drops the oldest tenth at a time, as listing the keys costs more than dropping them. */
  #makeRoom(bytes: number): void {
    while (this.#isFull(bytes)) {
      const keys = this.#cache.keys()
      if (keys.length === 0) return
      this.#cache.del(keys.slice(0, Math.ceil(keys.length / 10)))
    }
  }

  #isFull(bytes: number): boolean {
    const { vsize, keys } = this.#cache.getStats()
    return vsize + bytes > this.#maxBytes || keys >= MAX_KEYS
  }
}
