import { getDomain } from 'tldts'
import { bareHost, hostOf, isIpLiteral, isLocalHost, isSameHost } from './hosts.ts'

export interface RealmQuestion {
  /** Whose challenge named the realm. */
  registry: URL
  /** Whether the endpoint's credentials would go along. */
  withCredentials: boolean
  trustedRealms: readonly string[]
}

export type RealmVerdict =
  | { allowed: true; url: URL }
  | { allowed: false; /** As far as it can be told. */ host: string; /** Continues a sentence: "token server HOST …". */ why: string }

/**
 * Whether a token may be asked for where a challenge says: any registry can name any realm, and so have the endpoint's
 * password (CVE-2026-33540), or a request into the network that we run in.
 */
export function judgeRealm(realm: string, question: RealmQuestion): RealmVerdict {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  if (url === undefined) return { allowed: false, host: '', why: 'is not named by a URL' }
  const why = objection(url, question)
  return why === undefined ? { allowed: true, url } : { allowed: false, host: url.host, why }
}

function objection(realm: URL, { registry, withCredentials, trustedRealms }: RealmQuestion): string | undefined {
  if (realm.protocol !== 'https:' && realm.protocol !== 'http:') return 'is neither https nor http'
  if (realm.username !== '' || realm.password !== '') return 'is named with user info'
  if (registry.protocol === 'https:' && realm.protocol !== 'https:') return 'is http, while the registry is https'
  if (isSameHost(realm, registry)) return undefined
  const host = hostOf(realm)
  if (isIpLiteral(host)) return "is an IP address other than the registry's"
  if (isLocalHost(host)) return 'is on loopback, while the registry is elsewhere'
  if (!withCredentials || isSameDomain(host, hostOf(registry))) return undefined
  if (trustedRealms.some(trusted => bareHost(trusted) === host)) return undefined
  return `is on another domain than the registry; if it may be sent the credentials, list ${host} in the endpoint's trustedRealms`
}

/** Private suffixes count: customers of one hosting domain are strangers to each other. */
function isSameDomain(one: string, other: string): boolean {
  const domain = getDomain(one, { allowPrivateDomains: true })
  return domain !== null && domain === getDomain(other, { allowPrivateDomains: true })
}
