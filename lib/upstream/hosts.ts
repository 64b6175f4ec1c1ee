import { BlockList, isIP } from 'node:net'

/** Addresses that mean the machine we run on, or its cloud's metadata service: no stranger may send us there. */
const LOCAL = new BlockList()
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')
LOCAL.addAddress('::1', 'ipv6')
// "This host": Linux connects the unspecified address to loopback.
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4')
LOCAL.addAddress('::', 'ipv6')
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LOCAL.addSubnet('fe80::', 10, 'ipv6')
// AWS's metadata service, which is no link-local address in IPv6.
LOCAL.addAddress('fd00:ec2::254', 'ipv6')

const LOCAL_NAME = /^(?:.*\.)?localhost(?:\.localdomain)?$/

/** The host without brackets and trailing dot. URL has lower-cased it and made dotted decimals of every IPv4 notation. */
export function hostOf(url: URL): string {
  return bareHost(url.hostname)
}

export function bareHost(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

export function isSameHost(one: URL, other: URL): boolean {
  return hostOf(one) === hostOf(other)
}

export function isIpLiteral(host: string): boolean {
  return isIP(host) !== 0
}

/** Loopback, link-local, unspecified, or a name for these: `localhost`, `registry.localhost`. */
export function isLocalHost(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return LOCAL_NAME.test(host)
  return LOCAL.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
