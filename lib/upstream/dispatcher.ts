import { rootCertificates } from 'node:tls'
import { Agent, EnvHttpProxyAgent, Pool, ProxyAgent, type Dispatcher } from 'undici'
import type { EndpointConfig } from '../config/config.ts'
import { codeOf } from './socket-failure.ts'

export type { Dispatcher }

/** The variables of a process: only those about proxies are looked at. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a connection shows and believes. */
export interface TlsOptions {
  rejectUnauthorized: boolean
  ca?: string[]
  cert?: string
  key?: string
}

// Blobs hold their connection for as long as they take, and HEADs must not queue behind them.
const CONNECTIONS = 256
const KEEP_ALIVE = 30_000

// As Go does, and so docker: a proxy elsewhere means another loopback.
const NEVER_PROXIED = ['localhost', '127.0.0.1', '[::1]']

export function ownTls({ ca, cert, key, verify }: EndpointConfig['tls']): TlsOptions {
  return {
    ...foreignTls({ verify: true, ...(ca === undefined ? {} : { ca }) }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: verify,
  }
}

/** For CDNs and token servers: always verified, and never shown the client certificate. */
export function foreignTls({ ca }: EndpointConfig['tls']): TlsOptions {
  // Node takes `ca` in place of its own roots, and a blob may come from a public CDN.
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }
}

/** The only place that knows undici. @throws TypeError where a proxy's URL is none */
export function createDispatcher(endpoint: EndpointConfig, tls: TlsOptions, env: Environment): Dispatcher {
  const { connect: timeout, response, idle } = endpoint.timeouts
  const proxyTls = { timeout, ...foreignTls(endpoint.tls) }
  const options = {
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    headersTimeout: response,
    bodyTimeout: idle,
    allowH2: false,
    connect: { timeout, ...tls },
    requestTls: { timeout, ...tls },
    proxyTls,
    // Plain http is forwarded, not tunnelled: proxies commonly refuse CONNECT to ports other than 443.
    proxyTunnel: false,
    clientFactory: (origin: URL, given: object) => new ProxyPool(origin, { ...given, headersTimeout: timeout }),
  }
  if (endpoint.proxy !== undefined) return new ProxyAgent({ ...options, uri: endpoint.proxy })
  const proxies = proxiesOf(env)
  return proxies === undefined ? new Agent(options) : new EnvHttpProxyAgent({ ...options, ...proxies })
}

function proxiesOf(env: Environment): { httpProxy: string; httpsProxy: string; noProxy: string } | undefined {
  const read = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? ''
  const [httpProxy, httpsProxy, noProxy] = [proxyUrl(read('HTTP_PROXY')), proxyUrl(read('HTTPS_PROXY')), read('NO_PROXY')]
  if (httpProxy === '' && httpsProxy === '') return undefined
  return { httpProxy, httpsProxy, noProxy: noProxy.trim() === '*' ? '*' : [noProxy, ...NEVER_PROXIED].join(',') }
}

/** `proxy.example:3128` is as good as a URL to curl, and so to those who set the variable. */
function proxyUrl(value: string): string {
  return value === '' || value.includes('://') ? value : `http://${value}`
}

/**
 * Connections to a proxy. A proxy that closes instead of answering CONNECT gives an error that undici's client takes for
 * one to be retried: it dials for ever, thousands of times a second (7.30). Any other error ends that.
 */
class ProxyPool extends Pool {
  override connect(options: ConnectOptions): Promise<Dispatcher.ConnectData>
  override connect(options: ConnectOptions, callback: ConnectCallback): void
  override connect(options: ConnectOptions, callback?: ConnectCallback): Promise<Dispatcher.ConnectData> | undefined {
    if (callback !== undefined) {
      super.connect(options, callback)
      return undefined
    }
    return super.connect(options).catch((cause: unknown) => { throw new ProxyError(cause) })
  }
}

type ConnectOptions = Omit<Dispatcher.ConnectOptions, 'origin'>
type ConnectCallback = (error: Error | null, data: Dispatcher.ConnectData) => void

class ProxyError extends Error {
  readonly code: 'PROXY_FAILED' | 'PROXY_TIMEOUT'

  constructor(cause: unknown) {
    super('the proxy failed', { cause })
    this.code = /TIMEOUT|ETIMEDOUT/.test(codeOf(cause)) ? 'PROXY_TIMEOUT' : 'PROXY_FAILED'
  }
}
