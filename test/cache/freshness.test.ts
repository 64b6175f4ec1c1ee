import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isNegativeAnswer, isTrusted, maySubstitute, staleWarning } from '../../lib/cache/freshness.ts'
import type { Policy } from '../../lib/cache/project.ts'
import type { FailureReason } from '../../lib/config/config.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { isTag, type Tag } from '../../lib/oci/reference.ts'
import type { TagRecord } from '../../lib/store/repositories.ts'

const NOW = Date.UTC(2026, 6, 1)
const MINUTE = 60_000
const REASONS: FailureReason[] = ['unreachable', 'timeout', 'server-error', 'rate-limited', 'denied', 'not-found']

const policy = (changes: Partial<Policy> = {}): Policy => ({ freshness: 0, isImmutable: () => false, serveStaleOn: new Set(), ...changes })
const record = (confirmedAt: number, tag = 'latest'): TagRecord => ({ tag: tag as Tag, digest: digestOf(Buffer.from('')), confirmedAt })

t.test('whether a tag is trusted', async t => {
  const rows: [freshness: number, age: number, isTrusted: boolean][] = [
    [0, 0, false],
    [0, 1, false],
    [0, -1, false],
    [MINUTE, 0, true],
    [MINUTE, MINUTE - 1, true],
    [MINUTE, MINUTE, false],
    [MINUTE, 100 * MINUTE, false],
    // The clock was set back: no age is known.
    [MINUTE, -1, false],
    [MINUTE, -100 * MINUTE, false],
    [Number.MAX_SAFE_INTEGER, 1e12, true],
  ]
  for (const [freshness, age, expected] of rows) t.equal(isTrusted(record(NOW - age), policy({ freshness }), NOW), expected, `${age} of ${freshness}`)
})

t.test('an immutable tag is trusted for ever, whatever the clock says', async t => {
  const immutable = policy({ isImmutable: tag => tag.startsWith('v') })
  for (const age of [0, 1e12, -1e12]) {
    t.ok(isTrusted(record(NOW - age, 'v1.2.3'), immutable, NOW))
    t.notOk(isTrusted(record(NOW - age), immutable, NOW))
  }
})

t.test('a copy stands in for the failures that the project lists, and no other', async t => {
  for (const listed of REASONS) {
    const lists = policy({ serveStaleOn: new Set([listed]) })
    for (const reason of REASONS) t.equal(maySubstitute(reason, lists), reason === listed, `${reason} of ${listed}`)
    t.notOk(maySubstitute(listed, policy()))
  }
})

t.test('what upstream says about one name is remembered, what it suffers from is not', async t => {
  t.same(REASONS.filter(isNegativeAnswer), ['denied', 'not-found'])
})

t.test('a warning says what, since when and why', async t => {
  const sentence = (reason: FailureReason): string => staleWarning(record(NOW, '3.20'), reason, 'dockerhub')
  const begin = 'entrepot serves its copy of 3.20, last confirmed by dockerhub at 2026-07-01T00:00:00.000Z: upstream '
  t.same(REASONS.map(sentence), ['is unreachable', 'does not answer in time', 'answers with an error', 'limits our rate', 'denies access', 'does not have it any more'].map(end => begin + end))
})

t.test('a warning fits into a quoted string of a header, whatever the tag and the endpoint', async () => {
  const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)
  const endpoint = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
  fc.assert(fc.property(tag, endpoint, fc.constantFrom(...REASONS), fc.date({ noInvalidDate: true }), (tag, endpoint, reason, at) => {
    assert.ok(isTag(tag))
    assert.match(staleWarning(record(at.getTime(), tag), reason, endpoint), /^[ !#-[\]-~]+$/)
  }))
})
