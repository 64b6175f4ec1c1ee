import { isIP, isIPv6 } from 'node:net'
import type { ListenAddress } from './config.ts'
import type { Parsed } from './parsed.ts'

const HOST_NAME = /^(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?$/i

/** `host:port`, `[::1]:5000`, or `:5000` for all interfaces. Port 0: any free one. */
export function parseListen(text: string): Parsed<ListenAddress> {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? plain ?? ''
  const valid = digits !== '' && (bracketed === undefined ? plain === '' || HOST_NAME.test(host) : isIPv6(host))
  if (!valid) return { mistake: `must be host:port, such as 127.0.0.1:5000, or :5000 for all interfaces${listenHint(text)}` }
  return port > 65_535 ? { mistake: 'has a port over 65535' } : { value: { host, port } }
}

function listenHint(text: string): string {
  if (/^\d{1,5}$/.test(text)) return `; did you mean ":${text}"?`
  const [, host = '', port = ''] = /^([0-9a-f:]*:[0-9a-f:]*):(\d+)$/i.exec(text) ?? []
  return isIPv6(host) ? `; did you mean "[${host}]:${port}"?` : ''
}

// Harbor wants the first of them; none of them is a registry.
const DOCKER_SITES = new Set(['hub.docker.com', 'docker.io', 'docker.com', 'www.docker.com'])

/** An upstream registry: http or https, with a path prefix where it has one. @returns it without a trailing slash */
export function parseRegistryUrl(text: string): Parsed<string> {
  const parsed = parseWebUrl(text, 'https://registry.example.com')
  if ('mistake' in parsed) return parsed
  if (DOCKER_SITES.has(parsed.value.hostname)) return { mistake: 'is Docker\'s web site, not its registry; write "https://registry-1.docker.io"' }
  const path = parsed.value.pathname.replace(/\/+$/, '')
  if (path.endsWith('/v2')) return { mistake: 'must not end in /v2, which entrepot adds by itself' }
  return { value: parsed.value.origin + path }
}

/** What clients call: scheme, host and port, nothing else. */
export function parseOrigin(text: string): Parsed<string> {
  const parsed = parseWebUrl(text, 'https://cache.example.com')
  if ('mistake' in parsed) return parsed
  if (parsed.value.pathname !== '/') return { mistake: `must not have a path; write "${parsed.value.origin}"` }
  return { value: parsed.value.origin }
}

function parseWebUrl(text: string, example: string): Parsed<URL> {
  if (hasUserInfo(text)) return { mistake: 'must not contain a user name or password; write them under "credentials"' }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { mistake: `must begin with https:// or http://, such as ${withScheme(text) ?? example}` }
  if (!/^https?:/i.test(text)) return { mistake: 'must begin with https:// or http://' }
  if (/[?#]/.test(text)) return { mistake: 'must not have a query (?) or a fragment (#)' }
  const value = parseUrl(text)
  return value === undefined ? { mistake: `must be a URL, such as ${example}` } : { value }
}

/** Also for what is no URL yet: a password must not be quoted back. */
function hasUserInfo(text: string): boolean {
  return text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').split(/[/?#\\]/, 1)[0]?.includes('@') ?? false
}

function withScheme(text: string): string | undefined {
  const plausible = /^[a-z0-9][a-z0-9.-]*(?::\d+)?(?:\/[a-z0-9._/-]*)?$/i.test(text)
  return plausible ? `https://${text}` : undefined
}

/** The WHATWG parser repairs blanks and backslashes silently; here they are mistakes. */
function parseUrl(text: string): URL | undefined {
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return undefined
  return new URL(text)
}

const PASSWORD_IN_URL = 'has a password in it; Git is no place for a secret'

/** An HTTP proxy, with user name and password where it wants them. */
export function parseProxyUrl(text: string): Parsed<string> {
  const url = parseUrl(text)
  const plain = url !== undefined && /^https?:\/\//i.test(text) && url.pathname === '/' && !/[?#]/.test(text)
  if (!plain) return { mistake: 'must be the URL of an HTTP proxy, such as http://proxy.example.com:3128' }
  return url.password === '' ? { value: text } : { value: text, warning: PASSWORD_IN_URL }
}

/** `redis://` or, with TLS, `rediss://`; the path is the number of the database. */
export function parseRedisUrl(text: string): Parsed<string> {
  const url = parseUrl(text)
  const plain = url !== undefined && /^rediss?:\/\/[^/]/.test(text) && /^(?:\/\d*)?$/.test(url.pathname) && !/[?#]/.test(text)
  if (!plain) return { mistake: 'must be the URL of a Redis database, such as redis://127.0.0.1:6379/0' }
  return url.password === '' ? { value: text } : { value: text, warning: `${PASSWORD_IN_URL}: write it under "password", as { env: NAME } or { file: PATH }` }
}

/** A host name or an IP address alone. @returns it in lower case */
export function parseHostName(text: string): Parsed<string> {
  if (HOST_NAME.test(text)) return { value: text.toLowerCase() }
  return { mistake: 'must be a host name alone, such as auth.example.com, without https://, port or path' }
}

/** A registry as clients name it, with a port where it has one: `docker.io`, `registry.example.com:5000`. */
export function parseRegistryName(text: string): Parsed<string> {
  const [, host = '', , port = '0'] = /^([^:]*)(:(\d{1,5}))?$/.exec(text) ?? []
  if (HOST_NAME.test(host) && Number(port) <= 65_535) return { value: text.toLowerCase() }
  return { mistake: 'must be a registry\'s name, such as docker.io, without https:// or path' }
}

/** One address, or a network as `10.0.0.0/8`. */
export function parseNetwork(text: string): Parsed<string> {
  const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(address)
  if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) return { value: text }
  return { mistake: 'must be an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8' }
}
