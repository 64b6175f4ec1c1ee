import { Readable } from 'node:stream'
import t from 'tap'
import { basic, requestToken } from '../../lib/upstream/token-request.ts'
import type { TokenQuestion } from '../../lib/upstream/token-cache.ts'
import type { HttpRequest, HttpResponse, Send } from '../../lib/upstream/transport.ts'
import { failureOf } from './support.ts'

const question: TokenQuestion = { origin: 'https://r.example', realm: new URL('https://a.example/token?account=x'), service: 'registry', scope: 'repository:a/b:pull' }
const credentials = { username: 'robot$puller', password: 'geheim: ü' }

function server(...replies: { status?: number; body?: string; location?: string }[]): { send: Send; seen: HttpRequest[] } {
  const seen: HttpRequest[] = []
  const send: Send = async request => {
    seen.push(request)
    const { status = 200, body = '', location } = replies[seen.length - 1] ?? {}
    return { status, headers: { location }, body: Readable.from([Buffer.from(body)]) } satisfies HttpResponse
  }
  return { send, seen }
}

const asked = async (body: string): Promise<unknown> => requestToken(server({ body }).send, question, undefined)

t.test('asks by GET with service, scope, and Basic where there are credentials', async t => {
  const { send, seen } = server({ body: '{"token":"abc"}' }, { body: '{"token":"abc"}' })
  await requestToken(send, question, credentials)
  await requestToken(send, { ...question, service: undefined, scope: undefined }, undefined)
  t.equal(seen[0]?.method, 'GET')
  t.equal(seen[0]?.url.href, 'https://a.example/token?account=x&service=registry&scope=repository%3Aa%2Fb%3Apull')
  t.equal(seen[0]?.headers['authorization'], `Basic ${Buffer.from('robot$puller:geheim: ü').toString('base64')}`)
  t.equal(seen[0]?.headers['authorization'], basic(credentials))
  t.equal(seen[1]?.url.href, 'https://a.example/token?account=x')
  t.equal(seen[1]?.headers['authorization'], undefined)
})

t.test('takes token or access_token, and their life', async t => {
  t.same(await asked('{"token":"abc","expires_in":300}'), { value: 'abc', expiresIn: 300 })
  t.same(await asked('{"access_token":"abc"}'), { value: 'abc', expiresIn: 60 })
  t.same(await asked('{"token":"","access_token":"abc","expires_in":"120"}'), { value: 'abc', expiresIn: 120 })
  for (const life of ['0', '-1', 'null', '"x"', '{}']) t.same(await asked(`{"token":"abc","expires_in":${life}}`), { value: 'abc', expiresIn: 60 }, life)
})

t.test('an answer without a token is an error of the server', async t => {
  for (const body of ['', 'nonsense', '<html>', '{}', '[]', 'null', '{"token":5}', '{"token":""}', '{"token":"a\\r\\nx-evil: 1"}', '{"token":"ü"}']) {
    t.match(await failureOf(asked(body)), { reason: 'server-error', message: /a\.example answers without a token/ }, body)
  }
})

t.test('an answer of more than 64 KiB is refused', async t => {
  t.match(await failureOf(asked(`{"token":"abc","pad":"${'x'.repeat(64 * 1024)}"}`)), { reason: 'server-error', message: /more than 65536 bytes/ })
})

const STATUSES: [number, string][] = [[401, 'denied'], [403, 'denied'], [404, 'server-error'], [410, 'server-error'], [400, 'server-error'], [204, 'server-error'], [500, 'server-error'], [504, 'timeout']]
for (const [status, reason] of STATUSES) {
  t.test(`HTTP ${status} means ${reason}`, async t => {
    const failure = await failureOf(requestToken(server({ status, body: 'secret' }).send, question, credentials))
    t.match(failure, { reason, status, message: /a\.example/ })
    t.notMatch(failure.message, /secret|geheim|account/)
  })
}

t.test('redirects within the origin are followed', async t => {
  const { send, seen } = server({ status: 307, location: '/v2/token?x=1' }, { body: '{"token":"abc"}' })
  await requestToken(send, question, credentials)
  t.equal(seen[1]?.url.href, 'https://a.example/v2/token?x=1')
})

for (const location of ['https://evil.test/token', 'http://a.example/token', 'https://a.example:444/token', 'https://[', undefined]) {
  t.test(`CVE-2026-33540: a token server redirecting to ${location} is not followed`, async t => {
    const { send, seen } = server({ status: 302, ...(location === undefined ? {} : { location }) })
    t.match(await failureOf(requestToken(send, question, credentials)), location === undefined ? {} : { reason: 'server-error', message: /redirects elsewhere/ })
    if (location !== undefined) t.equal(seen.length, 1)
  })
}

t.test('redirects in circles end', async t => {
  const { send } = server(...Array.from({ length: 10 }, () => ({ status: 302, location: '/token' })))
  t.match(await failureOf(requestToken(send, question, undefined)), { reason: 'server-error', message: /circles/ })
})
