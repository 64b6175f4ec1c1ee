import t from 'tap'
import { clientError } from '../../lib/http/failures.ts'
import { OciError } from '../../lib/oci/errors.ts'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'

const ANSWERS = [
  ['unreachable', 'UNAVAILABLE', 503],
  ['timeout', 'UNAVAILABLE', 504],
  ['server-error', 'UNAVAILABLE', 503],
  ['rate-limited', 'TOOMANYREQUESTS', 429],
  ['denied', 'DENIED', 403],
] as const

t.test('what a client is told when upstream fails and nothing stands in', async t => {
  for (const [reason, code, status] of ANSWERS) {
    const failure = new UpstreamFailure(reason, `registry.example ${reason}`, { status: 418 })
    for (const unknown of ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'] as const) {
      t.match(clientError(failure, unknown), { code, status, message: `registry.example ${reason}`, cause: failure, headers: {} }, reason)
    }
  }
})

t.test('what upstream does not have is unknown, as what it was asked for', async t => {
  const failure = new UpstreamFailure('not-found', 'gone', { status: 404 })
  for (const unknown of ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'] as const) t.match(clientError(failure, unknown), { code: unknown, status: 404, message: 'gone' })
})

t.test('Retry-After is passed on in whole seconds, and never too few', async t => {
  for (const [retryAfter, header] of [[0, '0'], [0.2, '1'], [30, '30'], [30.001, '31']] as const) {
    t.same(clientError(new UpstreamFailure('rate-limited', '', { retryAfter }), 'BLOB_UNKNOWN').headers, { 'retry-after': header })
  }
  t.same(clientError(new UpstreamFailure('unreachable', '', { retryAfter: 2 }), 'BLOB_UNKNOWN').headers, { 'retry-after': '2' })
})

t.test('our own errors are what they are', async t => {
  const error = new OciError('NAME_INVALID', 'no')
  t.equal(clientError(error, 'BLOB_UNKNOWN'), error)
})

t.test('of anything else a client learns nothing', async t => {
  for (const error of [new Error('/data/secret: EACCES'), new TypeError('x of undefined'), 'text', undefined, null, { reason: 'denied' }]) {
    const told = clientError(error, 'MANIFEST_UNKNOWN')
    t.match(told, { code: 'UNKNOWN', status: 500, cause: error })
    t.equal(told.body(), '{"errors":[{"code":"UNKNOWN","message":"entrepot failed to answer: its log says why","detail":null}]}')
  }
})
