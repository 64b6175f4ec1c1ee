import t, { type Test } from 'tap'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import type { EndpointConfig } from '../../lib/config/config.ts'
import { BLOB_DIGEST, endpoint, failureOf, harness, MANIFEST, readAll, REPOSITORY, scripted, TAG, world, type Reply, type Script, type Scripted } from './support.ts'

const credentials = { username: 'robot$puller', password: 'geheim' }
const BASIC = `Basic ${Buffer.from('robot$puller:geheim').toString('base64')}`
const OK: Reply = { status: 200, body: MANIFEST }

const challenge = (header: string | string[]): Reply => ({ status: 401, headers: { 'www-authenticate': header } })

interface TokenWorld { server: Scripted; config: EndpointConfig; valid: Set<string>; tokens(): Scripted['requests']; registry(): Scripted['requests'] }

/** registry.example with a token server, whose realm may be anywhere in this world. */
async function tokenWorld(t: Test, { realm = 'http://auth.registry.example/token', answer, overrides = {} }: {
  realm?: string
  answer?: Script
  overrides?: Partial<EndpointConfig>
} = {}): Promise<TokenWorld> {
  const valid = new Set<string>()
  const issue: Script = (_, count) => {
    valid.add(`Bearer t${count}`)
    return { status: 200, body: JSON.stringify({ token: `t${count}`, expires_in: 100 }) }
  }
  const host = URL.canParse(realm) ? new URL(realm).host : ''
  const server = await world(t, {
    'registry.example': seen => {
      if (seen.path.startsWith('/token')) return (answer ?? issue)(seen, 1)
      return valid.has(seen.headers.authorization ?? '') ? OK : challenge(`Bearer realm="${realm}",service="registry.example",scope="repository:user/image:pull"`)
    },
    ...(host !== 'registry.example' && { [host]: answer ?? issue }),
  })
  return {
    server, valid, config: endpoint('http://registry.example', { proxy: server.url, ...overrides }),
    tokens: () => server.requests.filter(({ path }) => path.startsWith('/token')),
    registry: () => server.requests.filter(({ host, path }) => host === 'registry.example' && path.startsWith('/v2/')),
  }
}

t.test('Basic: answered, then sent at once', async t => {
  const server = await scripted(t, ({ headers }) => headers.authorization === BASIC ? OK : challenge('Basic realm="r"'))
  const { upstream, log } = harness(t, endpoint(server.url, { credentials }))
  await upstream.getManifest(REPOSITORY, TAG)
  await upstream.getManifest(REPOSITORY, TAG)
  t.same(server.requests.map(({ headers }) => headers.authorization), [undefined, BASIC, BASIC])
  t.same(log.lines, [])
})

t.test('credentials are not sent to whom did not ask', async t => {
  const server = await scripted(t, () => OK)
  await harness(t, endpoint(server.url, { credentials })).upstream.getManifest(REPOSITORY, TAG)
  t.equal(server.requests[0]?.headers.authorization, undefined)
})

t.test('Basic asked of an anonymous endpoint is a denial', async t => {
  const server = await scripted(t, () => challenge('Basic realm="r"'))
  const { upstream, log } = harness(t, endpoint(server.url))
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'denied', status: 401 })
  t.equal(server.requests.length, 1)
  t.same(log.lines, [])
})

t.test('credentials refused: denied after one retry, and one clear line in the log', async t => {
  const server = await scripted(t, () => challenge('Basic realm="r"'))
  const { upstream, log, clock } = harness(t, endpoint(server.url, { credentials }))
  const failure = await failureOf(upstream.getManifest(REPOSITORY, TAG))
  t.match(failure, { reason: 'denied', status: 401 })
  t.notMatch(failure.message, /geheim|robot/)
  await failureOf(upstream.getManifest(REPOSITORY, TAG))
  t.equal(server.requests.length, 3)
  t.match(log.lines, [{ level: 'warn', message: /credentials are refused/ }])
  t.equal(log.lines.length, 1)
  clock.advance(60_000)
  await failureOf(upstream.getManifest(REPOSITORY, TAG))
  t.equal(log.lines.length, 2)
})

t.test('Bearer, anonymous: one token call for any number of requests, none of them paying a 401 when warm', async t => {
  const { server, config, tokens, registry } = await tokenWorld(t)
  const { upstream } = harness(t, config)
  await Promise.all(Array.from({ length: 20 }, () => upstream.getManifest(REPOSITORY, TAG)))
  t.equal(tokens().length, 1)
  t.match(tokens()[0], { method: 'GET', path: '/token?service=registry.example&scope=repository%3Ateam%2Fapp%3Apull' })
  t.equal(tokens()[0]?.headers.authorization, undefined)
  t.match(tokens()[0]?.headers, { 'user-agent': /^entrepot\// })
  const before = server.requests.length
  await upstream.getManifest(REPOSITORY, TAG)
  t.equal(server.requests.length, before + 1)
  t.equal(registry().at(-1)?.headers.authorization, 'Bearer t1')
})

t.test('Bearer, with credentials: they go to the token server, not to the registry', async t => {
  const { config, tokens, registry } = await tokenWorld(t, { overrides: { credentials } })
  await harness(t, config).upstream.getManifest(REPOSITORY, TAG)
  t.equal(tokens()[0]?.headers.authorization, BASIC)
  t.same(registry().map(({ headers }) => headers.authorization), [undefined, 'Bearer t1'])
})

t.test('a token for each repository, without another 401', async t => {
  const { config, tokens, registry } = await tokenWorld(t)
  const { upstream } = harness(t, config)
  await upstream.getManifest(REPOSITORY, TAG)
  await upstream.getManifest(parseRepositoryName('team/other'), TAG)
  t.same(tokens().map(({ path }) => new URL(path, 'http://x').searchParams.get('scope')), ['repository:team/app:pull', 'repository:team/other:pull'])
  t.equal(registry().length, 3)
})

t.test('renewed in time, so that no request pays a 401', async t => {
  const { config, tokens, registry } = await tokenWorld(t)
  const { upstream, clock } = harness(t, config)
  await upstream.getManifest(REPOSITORY, TAG)
  clock.advance(90_000)
  await upstream.getManifest(REPOSITORY, TAG)
  t.equal(tokens().length, 2)
  t.same(registry().map(({ headers }) => headers.authorization), [undefined, 'Bearer t1', 'Bearer t2'])
})

t.test('a token that upstream revoked: once more, with a fresh one', async t => {
  const { config, tokens, valid, registry } = await tokenWorld(t)
  const { upstream } = harness(t, config)
  await upstream.getManifest(REPOSITORY, TAG)
  valid.clear()
  await Promise.all(Array.from({ length: 10 }, () => upstream.getManifest(REPOSITORY, TAG)))
  t.equal(tokens().length, 2)
  t.equal(registry().at(-1)?.headers.authorization, 'Bearer t2')
})

t.test('never more than one retry', async t => {
  const { config, registry } = await tokenWorld(t, { answer: (_, count) => ({ status: 200, body: `{"token":"bad${count}"}` }) })
  t.match(await failureOf(harness(t, config).upstream.getManifest(REPOSITORY, TAG)), { reason: 'denied', status: 401 })
  t.equal(registry().length, 2)
})

for (const [status, reason] of [[401, 'denied'], [403, 'denied'], [404, 'server-error'], [500, 'server-error'], [504, 'timeout']] as const) {
  t.test(`token server answers ${status}: ${reason}`, async t => {
    const { config } = await tokenWorld(t, { answer: () => ({ status }), overrides: { credentials } })
    const { upstream, log } = harness(t, config)
    t.match(await failureOf(upstream.headManifest(REPOSITORY, TAG)), { reason, status, message: /token server auth\.registry\.example/ })
    t.equal(log.lines.length, reason === 'denied' ? 1 : 0)
  })
}

t.test('token server answers 429: rate-limited, and left alone; what needs no new token goes on', async t => {
  let limited = false
  const { config, tokens, valid } = await tokenWorld(t, { answer: () => {
    valid.add('Bearer x')
    return limited ? { status: 429, headers: { 'retry-after': '50' } } : { status: 200, body: '{"token":"x","expires_in":3000}' }
  } })
  const { upstream } = harness(t, config)
  await upstream.getManifest(REPOSITORY, TAG)
  limited = true
  const other = parseRepositoryName('team/other')
  for (let n = 0; n < 2; n += 1) t.match(await failureOf(upstream.getManifest(other, TAG)), { reason: 'rate-limited', retryAfter: 50 })
  t.equal(tokens().length, 2)
  await upstream.getManifest(REPOSITORY, TAG)
})

t.test('token server not reachable: not the registry\'s breaker', async t => {
  const { config } = await tokenWorld(t, { answer: () => 'hang-up' })
  const { upstream, log } = harness(t, config)
  t.match(await failureOf(upstream.getManifest(REPOSITORY, TAG)), { reason: 'unreachable', message: /auth\.registry\.example/ })
  t.same(log.lines, [])
})

t.test('token server silent: timeout', async t => {
  const { config } = await tokenWorld(t, { answer: () => 'silence', overrides: { timeouts: { connect: 500, response: 100, idle: 500 } } })
  t.match(await failureOf(harness(t, config).upstream.getManifest(REPOSITORY, TAG)), { reason: 'timeout' })
})

for (const realm of ['http://evil.test/token', 'http://10.0.0.5/token', 'http://127.0.0.1/token', 'http://2130706433/token', 'http://[::1]/token', 'http://localhost/token',
  'http://registry.example@evil.test/token', 'ftp://registry.example/token', 'nonsense']) {
  t.test(`CVE-2026-33540: a hostile realm, ${realm}, never sees the password`, async t => {
    const { server, config } = await tokenWorld(t, { realm, overrides: { credentials } })
    const { upstream, log } = harness(t, config)
    for (const call of [() => upstream.getManifest(REPOSITORY, TAG), () => upstream.headManifest(REPOSITORY, TAG)]) {
      t.match(await failureOf(call()), { reason: 'denied', message: /token server that is refused/ })
    }
    t.same(new Set(server.requests.map(({ host }) => host)), new Set(['registry.example']), 'nobody else was asked')
    t.ok(server.requests.every(({ headers }) => headers.authorization === undefined))
    t.equal(log.lines.length, 1, 'one line for the realm, not one for each request')
  })
}

t.test('CVE-2026-33540: the refusal names the host and the key that would allow it, and the key does', async t => {
  const realm = 'http://auth.partner.test/token'
  const { config } = await tokenWorld(t, { realm, overrides: { credentials } })
  t.match(await failureOf(harness(t, config).upstream.getManifest(REPOSITORY, TAG)), { message: /auth\.partner\.test.*trustedRealms/ })
  const trusting = await tokenWorld(t, { realm, overrides: { credentials, trustedRealms: ['auth.partner.test'] } })
  await harness(t, trusting.config).upstream.getManifest(REPOSITORY, TAG)
  t.equal(trusting.tokens()[0]?.headers.authorization, BASIC)
})

t.test('CVE-2026-33540: an anonymous endpoint may get its token on another domain, but not from our network', async t => {
  const foreign = await tokenWorld(t, { realm: 'http://auth.partner.test/token' })
  await harness(t, foreign.config).upstream.getManifest(REPOSITORY, TAG)
  t.equal(foreign.tokens().length, 1)
  const inner = await tokenWorld(t, { realm: 'http://169.254.169.254/token' })
  t.match(await failureOf(harness(t, inner.config).upstream.getManifest(REPOSITORY, TAG)), { reason: 'denied' })
  t.equal(inner.tokens().length, 0)
})

t.test("CVE-2026-33540: a redirect target's realm is judged against that target, and gets no credentials", async t => {
  const server = await world(t, {
    'registry.example': () => ({ status: 307, headers: { location: 'http://cdn.test/v2/x/blobs/y' } }),
    'cdn.test': () => challenge('Bearer realm="http://169.254.169.254/token"'),
  })
  const { upstream } = harness(t, endpoint('http://registry.example', { proxy: server.url, credentials }))
  t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })), { reason: 'denied', message: /cdn\.test names a token server/ })
  t.same(server.requests.map(({ host }) => host), ['registry.example', 'cdn.test'])
})

t.test('a redirect target asking Basic does not get the credentials', async t => {
  const server = await world(t, {
    'registry.example': () => ({ status: 307, headers: { location: 'http://cdn.test/x' } }),
    'cdn.test': () => challenge('Basic realm="r"'),
  })
  const { upstream } = harness(t, endpoint('http://registry.example', { proxy: server.url, credentials }))
  t.match(await failureOf(upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })), { reason: 'denied' })
  t.ok(server.requests.every(({ headers }) => headers.authorization === undefined))
})

t.test('several challenges: Bearer before Basic', async t => {
  const server = await scripted(t, ({ path, headers }) => {
    if (path.startsWith('/token')) return { status: 200, body: '{"access_token":"x"}' }
    return headers.authorization === 'Bearer x' ? OK : challenge(['Negotiate, Basic realm="r"', `bearer REALM="http://${headers.host}/token"`])
  })
  await harness(t, endpoint(server.url, { credentials })).upstream.getManifest(REPOSITORY, TAG)
  t.same(server.requests.map(({ headers }) => headers.authorization), [undefined, BASIC, 'Bearer x'])
})

t.test('a scheme that we do not know', async t => {
  const server = await scripted(t, () => challenge('Negotiate, NTLM'))
  t.match(await failureOf(harness(t, endpoint(server.url, { credentials })).upstream.getManifest(REPOSITORY, TAG)), { reason: 'denied', message: /negotiate, ntlm.*knows Basic and Bearer/ })
  t.equal(server.requests.length, 1)
})

t.test('a 401 without a challenge', async t => {
  const server = await scripted(t, () => ({ status: 401 }))
  t.match(await failureOf(harness(t, endpoint(server.url, { credentials })).upstream.getManifest(REPOSITORY, TAG)), { reason: 'denied', status: 401 })
})

t.test('a blob over a token that runs out: the next range gets a fresh one', async t => {
  const { config, tokens, valid } = await tokenWorld(t)
  const { upstream } = harness(t, config)
  const first = await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })
  t.equal(await readAll(first.stream), String(MANIFEST))
  valid.clear()
  await readAll((await upstream.getBlob(REPOSITORY, BLOB_DIGEST, { first: 0 })).stream)
  t.equal(tokens().length, 2)
})
