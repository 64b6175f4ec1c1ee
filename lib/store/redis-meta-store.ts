import { Redis } from 'ioredis'
import type { RedisConfig } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { MetaStore } from './meta-store.ts'

/** A record that Redis does not give within this many milliseconds is read from disk sooner. */
const PATIENCE = 250

/** MetaStore in Redis, shared by replicas. Throws when Redis does not answer: see AdvisoryMetaStore. */
export class RedisMetaStore implements MetaStore {
  readonly #redis: Redis

  /** @param patience milliseconds for one command */
  constructor(config: RedisConfig, log: Log, patience: number = PATIENCE) {
    this.#redis = new Redis(addressOf(config), {
      keyPrefix: config.keyPrefix,
      commandTimeout: patience,
      connectTimeout: 3000,
      // Commands fail at once while there is no connection, instead of waiting for one.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: attempt => Math.min(100 * 2 ** attempt, 5000),
    })
    // ioredis emits an error an attempt; unheard, it would end the process.
    this.#redis.on('error', (error: Error) => log.debug({ err: error.message }, 'redis connection error'))
  }

  async get(key: string): Promise<Buffer | undefined> {
    return (await this.#redis.getBuffer(key)) ?? undefined
  }

  async set(key: string, value: Buffer, ttl: number): Promise<void> {
    await this.#redis.set(key, value, 'EX', ttl)
  }

  async delete(key: string): Promise<void> {
    await this.#redis.del(key)
  }

  close(): Promise<void> {
    this.#redis.disconnect()
    return Promise.resolve()
  }
}

/** ioredis prefers the URL's password to the option's, and one that names a user has an empty one. */
function addressOf({ url, password }: RedisConfig): string {
  if (password === undefined) return url
  const address = new URL(url)
  address.password = encodeURIComponent(password)
  return address.href
}
