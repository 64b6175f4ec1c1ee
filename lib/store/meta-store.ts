/**
 * Small hot records: an accelerator and, in Redis, a meeting place. Never the truth: a value may vanish at any moment,
 * and everything that must survive is on disk. Values are bytes, the caller's to encode.
 */
export interface MetaStore {
  get(key: string): Promise<Buffer | undefined>
  /** @param ttl seconds, at least one */
  set(key: string, value: Buffer, ttl: number): Promise<void>
  delete(key: string): Promise<void>
  close(): Promise<void>
}
