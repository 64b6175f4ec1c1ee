import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseHostName, parseListen, parseNetwork, parseOrigin, parseProxyUrl, parseRedisUrl, parseRegistryName, parseRegistryUrl } from '../../lib/config/address.ts'
import type { Parsed } from '../../lib/config/parsed.ts'

type Table = [text: string, expected: Parsed<unknown>][]

function table(name: string, parse: (text: string) => Parsed<unknown>, rows: Table): void {
  void t.test(name, async t => {
    for (const [text, expected] of rows) t.same(parse(text), expected, JSON.stringify(text))
  })
}

const value = (value: unknown): Parsed<unknown> => ({ value })
const mistake = (mistake: string): Parsed<unknown> => ({ mistake })

const LISTEN = 'must be host:port, such as 127.0.0.1:5000, or :5000 for all interfaces'

table('listen', parseListen, [
  ['127.0.0.1:5000', value({ host: '127.0.0.1', port: 5000 })],
  ['localhost:0', value({ host: 'localhost', port: 0 })],
  ['[::1]:5000', value({ host: '::1', port: 5000 })],
  [':5000', value({ host: '', port: 5000 })],
  ['', mistake(LISTEN)],
  ['5000', mistake(`${LISTEN}; did you mean ":5000"?`)],
  ['localhost', mistake(LISTEN)],
  ['::1:5000', mistake(`${LISTEN}; did you mean "[::1]:5000"?`)],
  ['[localhost]:5000', mistake(LISTEN)],
  ['[]:5000', mistake(LISTEN)],
  ['http://127.0.0.1:5000', mistake(LISTEN)],
  ['*:5000', mistake(LISTEN)],
  ['127.0.0.1:65536', mistake('has a port over 65535')],
])

table('registry url', parseRegistryUrl, [
  ['https://registry-1.docker.io', value('https://registry-1.docker.io')],
  ['https://Registry.Example.com:443/', value('https://registry.example.com')],
  ['http://127.0.0.1:5000', value('http://127.0.0.1:5000')],
  ['https://art.example/artifactory//', value('https://art.example/artifactory')],
  ['registry.example.com', mistake('must begin with https:// or http://, such as https://registry.example.com')],
  ['localhost:5000', mistake('must begin with https:// or http://, such as https://localhost:5000')],
  ['https:/example.com', mistake('must begin with https:// or http://, such as https://registry.example.com')],
  ['ftp://example.com', mistake('must begin with https:// or http://')],
  ['https://example.com?a=b', mistake('must not have a query (?) or a fragment (#)')],
  ['https://example.com/#', mistake('must not have a query (?) or a fragment (#)')],
  ['https://hub.docker.com/', mistake('is Docker\'s web site, not its registry; write "https://registry-1.docker.io"')],
  ['https://example.com/v2/', mistake('must not end in /v2, which entrepot adds by itself')],
  ['https://', mistake('must be a URL, such as https://registry.example.com')],
  ['https://exa mple.com', mistake('must be a URL, such as https://registry.example.com')],
  ['https://example.com\\x', mistake('must be a URL, such as https://registry.example.com')],
  ['https://u:p@example.com', mistake('must not contain a user name or password; write them under "credentials"')],
  ['https://@example.com', mistake('must not contain a user name or password; write them under "credentials"')],
  ['u:p@example.com', mistake('must not contain a user name or password; write them under "credentials"')],
])

table('public url', parseOrigin, [
  ['https://cache.example.com/', value('https://cache.example.com')],
  ['https://cache.example.com:8443', value('https://cache.example.com:8443')],
  ['https://cache.example.com/hub', mistake('must not have a path; write "https://cache.example.com"')],
])

const PROXY = 'must be the URL of an HTTP proxy, such as http://proxy.example.com:3128'

table('proxy', parseProxyUrl, [
  ['http://proxy:3128', value('http://proxy:3128')],
  ['http://me@proxy:3128', value('http://me@proxy:3128')],
  ['http://me:pw@proxy:3128', { value: 'http://me:pw@proxy:3128', warning: 'has a password in it; Git is no place for a secret' }],
  ['proxy:3128', mistake(PROXY)],
  ['socks5://proxy:1080', mistake(PROXY)],
  ['http://proxy:3128/path', mistake(PROXY)],
])

const REDIS = 'must be the URL of a Redis database, such as redis://127.0.0.1:6379/0'

table('redis', parseRedisUrl, [
  ['redis://127.0.0.1:6379/0', value('redis://127.0.0.1:6379/0')],
  ['rediss://me@redis', value('rediss://me@redis')],
  ['redis://:pw@redis', { value: 'redis://:pw@redis', warning: 'has a password in it; Git is no place for a secret: write it under "password", as { env: NAME } or { file: PATH }' }],
  ['127.0.0.1:6379', mistake(REDIS)],
  ['redis:///0', mistake(REDIS)],
  ['redis://redis/zero', mistake(REDIS)],
])

table('host name', parseHostName, [
  ['Auth.Example.com', value('auth.example.com')],
  ['https://auth.example.com', mistake('must be a host name alone, such as auth.example.com, without https://, port or path')],
])

table('registry name', parseRegistryName, [
  ['docker.io', value('docker.io')],
  ['registry:5000', value('registry:5000')],
  ['docker.io/library', mistake('must be a registry\'s name, such as docker.io, without https:// or path')],
])

table('network', parseNetwork, [
  ['127.0.0.1', value('127.0.0.1')],
  ['fd00::/8', value('fd00::/8')],
  ['10.0.0.0/33', mistake('must be an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8')],
  ['localhost', mistake('must be an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8')],
])

t.test('a mistake never quotes user info', async () => {
  const parsers = [parseListen, parseRegistryUrl, parseOrigin, parseProxyUrl, parseRedisUrl, parseHostName, parseRegistryName, parseNetwork]
  fc.assert(fc.property(fc.constantFrom('', 'https://', 'redis://', 'ftp://'), fc.constantFrom('', '/x', '?y', ' ', ':x'), (scheme, rest) => {
    for (const parse of parsers) {
      const parsed = parse(`${scheme}me:hunter2@example.com${rest}`)
      if ('mistake' in parsed) assert.doesNotMatch(parsed.mistake, /hunter2/)
    }
  }))
})
