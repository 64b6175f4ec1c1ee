import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { asDigest, digestOf, digestParts, hasherFor, parseDigest } from '../../lib/oci/digest.ts'
import { OciError } from '../../lib/oci/errors.ts'

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const SHA256 = `sha256:${HEX}`
const SHA512 = `sha512:${HEX}${HEX}`

t.test('digests that can be verified', async t => {
  for (const text of [SHA256, SHA512]) {
    t.equal(parseDigest(text), text)
    t.equal(asDigest(text), text)
  }
  t.same(digestParts(parseDigest(SHA512)), { algorithm: 'sha512', hex: HEX + HEX })
})

const NO_DIGEST = 'not a digest: expected sha256:<64 lower-case hex digits> or sha512:<128>'
const unsupported = (algorithm: string): string => `digest algorithm "${algorithm}" is not supported, use sha256 or sha512`

const REFUSED: [text: string, message: string][] = [
  ['', NO_DIGEST],
  [HEX, NO_DIGEST],
  ['sha256:', NO_DIGEST],
  [`:${HEX}`, NO_DIGEST],
  [SHA256.slice(0, -1), NO_DIGEST],
  [`${SHA256}0`, NO_DIGEST],
  [`sha512:${HEX}`, NO_DIGEST],
  [`sha256:${HEX}${HEX}`, NO_DIGEST],
  [`sha256:${HEX.toUpperCase()}`, NO_DIGEST],
  [`SHA256:${HEX}`, NO_DIGEST],
  [`sha256:${'g'.repeat(64)}`, NO_DIGEST],
  [`sha256:../${HEX.slice(3)}`, NO_DIGEST],
  [`${SHA256}\n`, NO_DIGEST],
  [` ${SHA256}`, NO_DIGEST],
  [`sha256:${HEX}:${HEX}`, NO_DIGEST],
  [`md5:${HEX.slice(32)}`, unsupported('md5')],
  [`sha384:${HEX}`, unsupported('sha384')],
  [`sha256+b64u:${HEX}`, unsupported('sha256+b64u')],
  [`constructor:${HEX}`, unsupported('constructor')],
]

t.test('everything else is refused with a sentence', async t => {
  for (const [text, message] of REFUSED) {
    t.throws(() => parseDigest(text), { code: 'DIGEST_INVALID', status: 400, message }, JSON.stringify(text))
    t.equal(asDigest(text), undefined)
  }
})

t.test('what strangers send in a digest\'s place is no digest', async t => {
  for (const value of [undefined, null, 0, true, {}, [SHA256], { toString: () => SHA256 }]) t.equal(asDigest(value), undefined)
})

t.test('no text throws anything but OciError', async () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map(text => `sha256:${text}`)), text => {
    try {
      assert.equal(parseDigest(text), text)
    } catch (error) {
      assert.ok(error instanceof OciError)
    }
  }))
})

t.test('digests are computed from bytes', async t => {
  t.equal(digestOf(Buffer.from('')), SHA256)
  t.equal(digestOf(Buffer.from('{}')), 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  fc.assert(fc.property(fc.uint8Array(), fc.constantFrom('sha256' as const, 'sha512' as const), (bytes, algorithm) => {
    const digest = digestOf(bytes, algorithm)
    assert.equal(parseDigest(digest), digest)
    assert.equal(hasherFor(digest).update(bytes).digest('hex'), digestParts(digest).hex)
    assert.equal(digestParts(digest).hex, createHash(algorithm).update(bytes).digest('hex'))
  }))
})
