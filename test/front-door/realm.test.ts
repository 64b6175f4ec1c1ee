import t from 'tap'
import { cacheOf } from '../support/cache.ts'
import { errorCode } from '../support/http.ts'
import { image } from '../support/image.ts'
import { scriptedUpstream, tokenServer } from '../support/scripted-upstream.ts'

/** A registry that sends us elsewhere for a token: the password must not go there. lib/upstream/realm.ts holds the policy whole. */

const CREDENTIALS = { username: 'robot', password: 'do not tell' }

const HOSTILE: [what: string, realmOf: (port: string) => string][] = [
  ['another loopback address', port => `http://127.0.0.2:${port}/token`],
  ['localhost', port => `http://localhost:${port}/token`],
  ['an IPv6 loopback', port => `http://[::1]:${port}/token`],
  ['a decimal IP literal', port => `http://2130706434:${port}/token`],
  ['a foreign domain', port => `http://auth.attacker.example:${port}/token`],
  ['user info before another host', port => `http://127.0.0.1@localhost:${port}/token`],
  ['no http at all', () => 'file:///etc/passwd'],
]

for (const [what, realmOf] of HOSTILE) {
  t.test(`CVE-2026-33540: a realm at ${what} never sees the password`, async t => {
    const thief = await tokenServer(t, { hostname: '::', users: [CREDENTIALS] })
    const upstream = await scriptedUpstream(t)
    upstream.push('library/x', image({ seed: 'x' }), 'latest')
    const realm = realmOf(new URL(thief.url.replace('//:::', '//localhost:')).port)
    upstream.guard(() => ({ status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="s",scope="repository:library/x:pull"` }, body: Buffer.alloc(0) }))
    const cache = await cacheOf(t, upstream, {
      endpoint: { credentials: { username: CREDENTIALS.username, password: { env: 'PASSWORD' } } },
      env: { PASSWORD: CREDENTIALS.password },
    })
    const answered = await cache.get('manifests/latest')
    t.match([answered.status, errorCode(answered)], [403, 'DENIED'])
    t.equal(answered.headers['www-authenticate'], undefined)
    t.strictSame(thief.requests, [], 'it is not even called')
    t.notMatch(JSON.stringify([cache.entrepot.logs, answered.body.toString()]), /do not tell/)
  })
}
