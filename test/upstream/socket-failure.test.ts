import t from 'tap'
import { isBrokenSocket, socketFailure } from '../../lib/upstream/socket-failure.ts'

const url = new URL('https://user:pass@registry.example:5000/v2/?sig=secret')
const coded = (code: string, message = ''): Error => Object.assign(new Error(message), { code })

const ROWS: [string, string, RegExp][] = [
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout', /no connection in time/],
  ['ETIMEDOUT', 'timeout', /no connection in time/],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout', /does not answer in time/],
  ['UND_ERR_BODY_TIMEOUT', 'timeout', /in the middle/],
  ['UND_ERR_SOCKET', 'unreachable', /broke/],
  ['ECONNREFUSED', 'unreachable', /refuses connections/],
  ['ENOTFOUND', 'unreachable', /DNS/],
  ['CERT_HAS_EXPIRED', 'unreachable', /expired/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'unreachable', /another name/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unreachable', /tls\.caFile/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unreachable', /tls\.caFile/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'unreachable', /tls\.certFile/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'unreachable', /is it http\?/],
  ['PROXY_TIMEOUT', 'timeout', /through the proxy/],
  ['UND_ERR_HEADERS_OVERFLOW', 'server-error', /headers/],
  ['ESOMETHING', 'unreachable', /not reachable/],
]

for (const [code, reason, message] of ROWS) t.test(code, async t => {
  const failure = socketFailure(coded(code), url)
  t.match(failure, { reason, message })
  t.match(failure.message, `registry.example:5000`)
  t.match(failure.message, code)
  t.notMatch(failure.message, /secret|pass/)
})

t.test("Deno's certificate errors have no code", async t => {
  t.match(socketFailure(new Error('invalid peer certificate: UnknownIssuer'), url), { reason: 'unreachable', message: /tls\.caFile/ })
})

t.test('what is no HTTP', async t => {
  const error = Object.assign(new Error('bad'), { name: 'HTTPParserError' })
  t.match(socketFailure(error, url), { reason: 'server-error', message: /is it https\?/ })
})

t.test('what is no Error', async t => { t.match(socketFailure('oops', url), { reason: 'unreachable' }) })

t.test('sockets that broke', async t => {
  for (const code of ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']) t.ok(isBrokenSocket(coded(code)))
  for (const code of ['ECONNREFUSED', 'UND_ERR_HEADERS_TIMEOUT']) t.notOk(isBrokenSocket(coded(code)))
})
