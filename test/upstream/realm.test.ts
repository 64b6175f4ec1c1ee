import fc from 'fast-check'
import t from 'tap'
import { judgeRealm } from '../../lib/upstream/realm.ts'

interface Row { registry: string; realm: string; credentials: boolean; trusted?: string[]; allowed: boolean; why?: RegExp }

const row = (registry: string, realm: string, credentials: boolean, allowed: boolean, why?: RegExp, trusted?: string[]): Row =>
  ({ registry, realm, credentials, allowed, ...(why && { why }), ...(trusted && { trusted }) })

const HTTPS = 'https://registry.corp.example'
const ROWS: Row[] = [
  row(HTTPS, 'https://registry.corp.example/token', true, true),
  row(HTTPS, 'https://registry.corp.example:8443/token', true, true),
  row(HTTPS, 'https://REGISTRY.corp.example./token', true, true),
  row(HTTPS, 'https://auth.corp.example/token', true, true),
  row('https://registry-1.docker.io', 'https://auth.docker.io/token', true, true),
  row('https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true, true),
  row('http://registry:5000', 'http://registry:5001/token', true, true),
  row('http://registry.corp.example', 'http://auth.corp.example/token', true, true),
  row('http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', true, true),
  row('http://[::1]:5000', 'http://[::1]:5001/token', true, true),
  row('https://10.0.0.5', 'https://10.0.0.5/token', true, true),
  row(HTTPS, 'https://auth.partner.example/token', true, true, undefined, ['Auth.Partner.example']),
  row(HTTPS, 'https://evil.example2/token', false, true),
  // Another domain.
  row(HTTPS, 'https://evil.test/token', true, false, /trustedRealms/),
  row(HTTPS, 'https://corp.example.evil.test/token', true, false, /trustedRealms/),
  row(HTTPS, 'https://sub.auth.partner.example/token', true, false, /trustedRealms/, ['auth.partner.example']),
  row('http://registry:5000', 'http://auth:5001/token', true, false, /trustedRealms/),
  row('https://one.github.io', 'https://two.github.io/token', true, false, /trustedRealms/),
  row('https://one.s3.amazonaws.com', 'https://two.s3.amazonaws.com/token', true, false, /trustedRealms/),
  row('https://a.co.uk', 'https://b.co.uk/token', true, false, /trustedRealms/),
  // http from https, for anybody.
  row(HTTPS, 'http://registry.corp.example/token', true, false, /http, while/),
  row(HTTPS, 'http://auth.partner.example/token', true, false, /http, while/, ['auth.partner.example']),
  row(HTTPS, 'http://auth.corp.example/token', false, false, /http, while/),
  // Addresses, listed or not, anonymous or not.
  ...[true, false].flatMap(credentials => [
    row(HTTPS, 'https://10.0.0.5/token', credentials, false, /IP address/, ['10.0.0.5']),
    row(HTTPS, 'https://167772165/token', credentials, false, /IP address/),
    row(HTTPS, 'https://[::1]/token', credentials, false, /IP address/),
    row(HTTPS, 'https://[::ffff:127.0.0.1]/token', credentials, false, /IP address/),
    row(HTTPS, 'https://169.254.169.254/latest', credentials, false, /IP address/),
    row(HTTPS, 'https://2130706433/token', credentials, false, /IP address/),
    row(HTTPS, 'https://0x7f.1/token', credentials, false, /IP address/),
    row(HTTPS, 'https://localhost/token', credentials, false, /loopback/, ['localhost']),
    row(HTTPS, 'https://LOCALHOST./token', credentials, false, /loopback/),
    row(HTTPS, 'https://a.localhost/token', credentials, false, /loopback/),
    row('http://127.0.0.1:5000', 'http://127.0.0.2/token', credentials, false, /IP address/),
    row('http://127.0.0.1:5000', 'http://localhost:5001/token', credentials, false, /loopback/),
    // No URL to send anything to.
    row(HTTPS, 'file:///etc/passwd', credentials, false, /neither/),
    row(HTTPS, 'ftp://registry.corp.example/', credentials, false, /neither/),
    row(HTTPS, '/token', credentials, false, /no.* URL/),
    row(HTTPS, '', credentials, false, /no.* URL/),
    row(HTTPS, 'https://registry.corp.example@evil.test/token', credentials, false, /user info/),
    row(HTTPS, 'https://user:pass@registry.corp.example/token', credentials, false, /user info/),
  ]),
]

for (const { registry, realm, credentials, trusted = [], allowed, why } of ROWS) {
  t.test(`CVE-2026-33540: ${registry} naming ${realm} ${credentials ? 'with' : 'without'} credentials is ${allowed ? 'allowed' : 'refused'}`, async t => {
    const verdict = judgeRealm(realm, { registry: new URL(registry), withCredentials: credentials, trustedRealms: trusted })
    t.equal(verdict.allowed, allowed)
    if (!verdict.allowed && why !== undefined) t.match(verdict.why, why)
  })
}

t.test('CVE-2026-33540: no spelling of a foreign host gets the credentials', async () => {
  fc.assert(fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string().map(text => `https://${text}/`)), realm => {
    const verdict = judgeRealm(realm, { registry: new URL(HTTPS), withCredentials: true, trustedRealms: [] })
    return !verdict.allowed || /(^|\.)corp\.example\.?$/.test(verdict.url.hostname)
  }))
})
