import t from 'tap'
import { ERROR_STATUS, OciError, type ErrorCode } from '../../lib/oci/errors.ts'

t.test('each code has the status that clients decide by', async t => {
  t.same(ERROR_STATUS, {
    BLOB_UNKNOWN: 404,
    DENIED: 403,
    DIGEST_INVALID: 400,
    MANIFEST_INVALID: 400,
    MANIFEST_UNKNOWN: 404,
    NAME_INVALID: 400,
    NAME_UNKNOWN: 404,
    RANGE_INVALID: 416,
    TOOMANYREQUESTS: 429,
    UNAUTHORIZED: 401,
    UNAVAILABLE: 503,
    UNKNOWN: 500,
    UNSUPPORTED: 405,
  })
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) t.equal(new OciError(code, '').status, ERROR_STATUS[code])
})

t.test('the body is the spec\'s, whatever is in it', async t => {
  t.equal(new OciError('DENIED', 'no "entry"').body(), '{"errors":[{"code":"DENIED","message":"no \\"entry\\"","detail":null}]}')
  const error = new OciError('NAME_INVALID', '', { detail: { name: 'A' }, cause: new Error('https://secret') })
  t.same(JSON.parse(error.body()), { errors: [{ code: 'NAME_INVALID', message: '', detail: { name: 'A' } }] })
})

t.test('status and headers can be given', async t => {
  const cause = new Error('first')
  const error = new OciError('UNAVAILABLE', 'late', { status: 504, headers: { 'retry-after': '3' }, cause })
  t.match(error, { code: 'UNAVAILABLE', status: 504, headers: { 'retry-after': '3' }, message: 'late', cause, name: 'OciError' })
  t.same(new OciError('UNAVAILABLE', '').headers, {})
})
