import t from 'tap'
import { parseContentRange, parseLength, parseUnsatisfiedRange } from '../../lib/upstream/content-range.ts'

t.test('Content-Range', async t => {
  t.same(parseContentRange('bytes 0-99/1234'), { first: 0, last: 99, size: 1234 })
  t.same(parseContentRange('Bytes 5-9/*'), { first: 5, last: 9 })
  for (const bad of [undefined, '', 'bytes */10', 'bytes 9-5/10', 'bytes a-b/c', 'items 0-1/2', 'bytes 0-1/2, 3-4/5']) t.equal(parseContentRange(bad), undefined, String(bad))
})

t.test('Content-Range of a 416', async t => {
  t.equal(parseUnsatisfiedRange('bytes */10'), 10)
  for (const bad of [undefined, 'bytes */*', 'bytes 0-1/2']) t.equal(parseUnsatisfiedRange(bad), undefined, String(bad))
})

t.test('Content-Length', async t => {
  t.equal(parseLength('0'), 0)
  for (const bad of [undefined, '', '-1', '1e3', '5, 5', '9'.repeat(20)]) t.equal(parseLength(bad), undefined, String(bad))
})
