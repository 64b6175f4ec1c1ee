import type { MetaStore } from './meta-store.ts'

/** The part of a MetaStore under a prefix: records of one storage directory beside those of another. */
export function scoped(store: MetaStore, prefix: string): MetaStore {
  return {
    get: key => store.get(prefix + key),
    set: (key, value, ttl) => store.set(prefix + key, value, ttl),
    delete: key => store.delete(prefix + key),
    close: () => store.close(),
  }
}
