/**
 * The configuration as the program sees it: validated, defaults filled in, units resolved, secrets read. Deeply frozen.
 * `endpoints` and `projects` have no prototype: `projects[name]` is safe for any name that a client sends.
 */
export interface Config {
  listen: ListenAddress
  /** Origin that clients call, where it differs from `listen`. */
  publicUrl?: string
  storage: { /** Absolute. */ directory: string }
  redis?: RedisConfig
  endpoints: Record<string, EndpointConfig>
  projects: Record<string, ProjectConfig>
  log: { level: LogLevel; format: 'json' | 'text' }
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface ListenAddress {
  /** Name or address, IPv6 without brackets; '' for all interfaces, as `server.listen` understands it. */
  host: string
  /** 0: any free one. */
  port: number
}

export interface RedisConfig {
  url: string
  password?: string
  keyPrefix: string
}

export type EndpointType = 'docker-hub' | 'harbor' | 'docker-registry'

export interface EndpointConfig {
  type: EndpointType
  /** Scheme, host, port, and a path prefix where there is one; no trailing slash. */
  url: string
  credentials?: { username: string; password: string }
  tls: {
    /** PEM, read at load: trusted beside the system's roots. */
    ca?: string
    /** PEM, read at load: what we show to the endpoint itself. */
    cert?: string
    key?: string
    verify: boolean
  }
  /** Absent: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment. */
  proxy?: string
  /** Milliseconds. There is no total timeout. */
  timeouts: { connect: number; response: number; idle: number }
  /** Host names beyond the endpoint's own domain that may be sent the credentials. */
  trustedRealms: string[]
}

/** Ways in which upstream can fail to answer, in the words of `serveStaleOn`. */
export type FailureReason = 'unreachable' | 'timeout' | 'server-error' | 'rate-limited' | 'denied' | 'not-found'

export interface ProjectConfig {
  /** A key of `endpoints`. */
  endpoint: string
  /** Milliseconds for which a tag is trusted before upstream is asked again; 0: each pull asks. */
  freshness: number
  /** Globs, `*` within a tag. */
  immutableTags: string[]
  serveStaleOn: FailureReason[]
}
