import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { matchesEtag, parseRange, rangeApplies, type RangeAnswer } from '../../lib/http/range.ts'

const WHOLE: RangeAnswer = { kind: 'whole' }
const UNSATISFIABLE: RangeAnswer = { kind: 'unsatisfiable' }
const part = (start: number, end: number): RangeAnswer => ({ kind: 'part', start, end })

const HUGE = '9'.repeat(400)

const RANGES: [header: string | undefined, of1000: RangeAnswer][] = [
  ['bytes=0-', part(0, 1000)],
  ['bytes=0-0', part(0, 1)],
  ['bytes=500-1499', part(500, 1000)],
  ['bytes=500-', part(500, 1000)],
  ['bytes=-500', part(500, 1000)],
  ['bytes=-1', part(999, 1000)],
  ['bytes=-1000', part(0, 1000)],
  ['bytes=-5000', part(0, 1000)],
  ['bytes=0-999', part(0, 1000)],
  ['bytes=0-1000', part(0, 1000)],
  ['bytes=999-', part(999, 1000)],
  ['bytes=999-999', part(999, 1000)],
  ['bytes=007-0010', part(7, 11)],
  ['Bytes=1-2', part(1, 3)],
  ['bytes=1-2 ', part(1, 3)],
  [`bytes=5-${HUGE}`, part(5, 1000)],
  [`bytes=-${HUGE}`, part(0, 1000)],
  [`bytes=${'0'.repeat(400)}-0`, part(0, 1)],

  ['bytes=500-0', UNSATISFIABLE],
  ['bytes=2-1', UNSATISFIABLE],
  ['bytes=1000-', UNSATISFIABLE],
  ['bytes=1000-2000', UNSATISFIABLE],
  ['bytes=-0', UNSATISFIABLE],
  [`bytes=${HUGE}-`, UNSATISFIABLE],
  [`bytes=${HUGE}-${HUGE}`, UNSATISFIABLE],

  // Several ranges, and what is none: the whole.
  ['bytes=0-1,5-6', WHOLE],
  ['bytes=0-1, -5', WHOLE],
  ['bytes=0-1,', WHOLE],
  ['bytes=-', WHOLE],
  ['bytes=', WHOLE],
  ['bytes', WHOLE],
  ['bytes=a-b', WHOLE],
  ['bytes=1', WHOLE],
  ['bytes=--1', WHOLE],
  ['bytes=-1-', WHOLE],
  ['bytes=+1-2', WHOLE],
  ['bytes=1.5-2', WHOLE],
  ['bytes=0x1-2', WHOLE],
  ['bytes=1e1-', WHOLE],
  ['bytes=١-٢', WHOLE],
  ['items=0-1', WHOLE],
  ['xbytes=0-1', WHOLE],
  ['bytes=0-1\nbytes=2-3', WHOLE],
  ['', WHOLE],
  [undefined, WHOLE],
]

t.test('RFC 9110 section 14, of a blob of 1000 bytes', async t => {
  for (const [header, answer] of RANGES) t.same(parseRange(header, 1000), answer, String(header).slice(0, 50))
})

t.test('of an empty blob, or one whose size is not known, there is only the whole', async t => {
  for (const [header] of RANGES) {
    t.same(parseRange(header, 0), WHOLE)
    t.same(parseRange(header, undefined), WHOLE)
  }
})

t.test('of one byte', async t => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-9', 'bytes=0-1']) t.same(parseRange(header, 1), part(0, 1), header)
  for (const header of ['bytes=1-', 'bytes=1-1', 'bytes=-0']) t.same(parseRange(header, 1), UNSATISFIABLE, header)
})

t.test('a part is never empty and always within the blob, whatever is asked', async () => {
  const position = fc.oneof(fc.nat(50).map(String), fc.bigInt({ min: 0n }).map(String), fc.constant(''))
  const near = fc.tuple(fc.constantFrom('bytes=', 'bytes =', 'BYTES=', 'bytes= '), position, fc.constantFrom('-', '', '--', ' - '), position, fc.constantFrom('', ' ', ',0-1')).map(parts => parts.join(''))
  const size = fc.oneof(fc.nat(60), fc.maxSafeNat())
  fc.assert(fc.property(fc.oneof(near, near, fc.string({ unit: 'binary' })), size, (header, size) => {
    const answer = parseRange(header, size)
    if (answer.kind === 'part') assert.ok(answer.start >= 0 && answer.start < answer.end && answer.end <= size)
  }), { numRuns: 1000 })
})

t.test('what is asked within the blob is given', async () => {
  fc.assert(fc.property(fc.integer({ min: 1 }), fc.nat(), fc.nat(), (size, a, b) => {
    const [first, last] = [a % size, b % size].sort((one, other) => one - other) as [number, number]
    assert.deepEqual(parseRange(`bytes=${first}-${last}`, size), part(first, last + 1))
    assert.deepEqual(parseRange(`bytes=${first}-`, size), part(first, size))
    assert.deepEqual(parseRange(`bytes=-${last + 1}`, size), part(size - last - 1, size))
  }))
})

t.test('hostile lengths are answered, too', async t => {
  const long = 1e5
  for (const text of ['9'.repeat(long), ' '.repeat(long), '-'.repeat(long), `${' '.repeat(long)}x`, `${'1-'.repeat(long)}`, `1-1${' '.repeat(long)}x`, `bytes${' '.repeat(long)}x`]) {
    for (const header of [`bytes=${text}`, text, `bytes=0-${text}`]) t.ok(parseRange(header, 1000).kind)
    t.notOk(matchesEtag(text, 'sha256:a'))
    t.notOk(matchesEtag(`"${text}`, 'sha256:a'))
    t.notOk(matchesEtag(`${text},`.repeat(2), 'sha256:a'))
  }
})

const DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const ETAG = `"${DIGEST}"`

t.test('If-Range: only our own strong validator lets a range apply', async t => {
  t.ok(rangeApplies(undefined, ETAG))
  t.ok(rangeApplies(ETAG, ETAG))
  for (const other of [`W/${ETAG}`, DIGEST, '"x"', '', '*', 'Wed, 21 Oct 2015 07:28:00 GMT']) t.notOk(rangeApplies(other, ETAG), other)
})

t.test('If-None-Match: quoted, bare, weak, in a list, or any', async t => {
  for (const header of [ETAG, DIGEST, `W/${ETAG}`, `W/${DIGEST}`, ` ${ETAG} `, `"a", ${ETAG}`, `"a",W/${ETAG},"b"`, `${DIGEST}, x`, '*', ' * ']) {
    t.ok(matchesEtag(header, DIGEST), header)
  }
  const others = [undefined, '', '"', '""', ',', '"a"', `"${DIGEST}`, `${DIGEST}"`, `w/${ETAG}`, `"${DIGEST}0"`, DIGEST.toUpperCase(), `"W/${DIGEST}"`, '"*"', 'W/"*"', 'W/*']
  for (const header of others) t.notOk(matchesEtag(header, DIGEST), String(header))
})
