import { resolve } from 'node:path'
import type { Config, EndpointConfig, EndpointType, ListenAddress, ProjectConfig, RedisConfig } from './config.ts'
import { DEFAULT_URLS } from './endpoint-types.ts'

/** The file's data after validation: defaults filled in, scalars parsed, secrets and certificates in the places of their sources. */
export interface ValidConfig {
  listen: ListenAddress
  publicUrl?: string
  storage: { directory: string }
  redis?: RedisConfig
  endpoints: Record<string, ValidEndpoint>
  projects: Record<string, ProjectConfig>
  log: Config['log']
}

interface ValidEndpoint {
  type: EndpointType
  url?: string
  /** Without a password where it could not be read, and need not be. */
  credentials?: { username: string; password?: string }
  tls: { caFile?: string; certFile?: string; keyFile?: string; verify: boolean }
  proxy?: string
  timeouts: EndpointConfig['timeouts']
  trustedRealms: string[]
}

/** @param directory what relative paths are relative to */
export function assemble(valid: ValidConfig, directory: string): Config {
  return deepFreeze({
    listen: valid.listen,
    ...(valid.publicUrl !== undefined && { publicUrl: valid.publicUrl }),
    storage: { directory: resolve(directory, valid.storage.directory) },
    ...(valid.redis !== undefined && { redis: { ...valid.redis } }),
    endpoints: mapValues(valid.endpoints, assembleEndpoint),
    projects: mapValues(valid.projects, assembleProject),
    log: { level: valid.log.level, format: valid.log.format },
  })
}

function assembleEndpoint(valid: ValidEndpoint): EndpointConfig {
  const { username, password } = valid.credentials ?? {}
  const { caFile: ca, certFile: cert, keyFile: key, verify } = valid.tls
  return {
    type: valid.type,
    url: valid.url ?? DEFAULT_URLS[valid.type] ?? '',
    ...(username !== undefined && password !== undefined && { credentials: { username, password } }),
    tls: { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), verify },
    ...(valid.proxy !== undefined && { proxy: valid.proxy }),
    timeouts: { ...valid.timeouts },
    trustedRealms: [...valid.trustedRealms],
  }
}

function assembleProject({ endpoint, freshness, immutableTags, serveStaleOn }: ProjectConfig): ProjectConfig {
  return { endpoint, freshness, immutableTags, serveStaleOn }
}

/** Without a prototype: a request for a project named `constructor` must not find one. */
function mapValues<From, To>(record: Record<string, From>, change: (value: From) => To): Record<string, To> {
  const result = Object.create(null) as Record<string, To>
  for (const [name, value] of Object.entries(record)) result[name] = change(value)
  return result
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object)
  return Object.freeze(value)
}
