import { hostOf, isLocalHost, isSameHost } from './hosts.ts'
import { UpstreamFailure } from './failure.ts'

export const MAX_REDIRECTS = 10

const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface Hop {
  from: URL
  status: number
  location: string | undefined
  /** The endpoint: it may be on loopback itself, and then redirect there. */
  registry: URL
  /** Whether what comes is checked against a digest, so that the way it comes does not matter. */
  verified: boolean
}

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status)
}

/** Where a redirect leads. @throws UpstreamFailure server-error where it must not be followed */
export function redirectTarget({ from, status, location, registry, verified }: Hop): URL {
  const refused = (why: string): UpstreamFailure => new UpstreamFailure('server-error', `${from.host} redirects ${why}`, { status })
  if (location === undefined) throw refused('without saying where')
  if (!URL.canParse(location, from.href)) throw refused('to what is no URL')
  const target = new URL(location, from)
  if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refused('to what is neither https nor http')
  const host = hostOf(target)
  // A registry must not make us read the cloud's metadata service, or what listens on our own loopback.
  if (isLocalHost(host) && !isLocalHost(hostOf(registry)) && !isSameHost(target, registry)) throw refused(`to the local address ${host}: refused`)
  if (from.protocol === 'https:' && target.protocol === 'http:' && !verified) throw refused(`from https to http at ${target.host}: refused for a tag`)
  return target
}
