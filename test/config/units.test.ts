import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseDuration, parseRate, parseSize, parseTimeout } from '../../lib/config/units.ts'

const DURATION_UNITS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }
const SIZE_UNITS = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }

t.test('durations are milliseconds', async t => {
  for (const [text, value] of Object.entries({ '500ms': 500, '3s': 3000, '5m': 300_000, '1h': 3_600_000, '7d': 604_800_000, '0s': 0 })) {
    t.same(parseDuration(text), { value }, text)
  }
})

t.test('sizes are bytes, rates bytes per second', async t => {
  t.same(parseSize('50GiB'), { value: 53_687_091_200 })
  t.same(parseSize('200MiB'), { value: 209_715_200 })
  t.same(parseSize('1kB'), { value: 1000 })
  t.same(parseRate('200MiB/s'), { value: 209_715_200 })
  t.same(parseRate('200MiB'), { mistake: 'must be a size per second, such as 200MiB/s' })
})

t.test('what is written comes out, in any unit', async () => {
  for (const [parse, units] of [[parseDuration, DURATION_UNITS], [parseSize, SIZE_UNITS]] as const) {
    fc.assert(fc.property(fc.nat(1000), fc.constantFrom(...Object.entries<number>(units)), (number, [unit, factor]) => {
      assert.deepEqual(parse(`${number}${unit}`), { value: number * factor })
    }))
  }
})

t.test('any text is a safe whole number or a mistake', async () => {
  const units = [...Object.keys(DURATION_UNITS), ...Object.keys(SIZE_UNITS), '', 'constructor', '__proto__']
  const near = fc.tuple(fc.bigInt(), fc.constantFrom(...units)).map(([number, unit]) => `${number}${unit}`)
  fc.assert(fc.property(fc.oneof(fc.string(), near), text => {
    for (const parse of [parseDuration, parseSize, parseRate, parseTimeout]) {
      const parsed = parse(text)
      if ('value' in parsed) assert.ok(Number.isSafeInteger(parsed.value) && parsed.value >= 0)
      else assert.match(parsed.mistake, /^(must|has|is)/)
    }
  }))
})

t.test('mistakes say what to write', async t => {
  const mistakes: Record<string, string> = {
    '': 'must be a duration with a unit, such as 30s',
    soon: 'must be a duration with a unit, such as 30s',
    '-3s': 'must be a duration with a unit, such as 30s',
    '1.5h': 'must be a duration with a unit, such as 30s',
    '3 s': 'must be a duration with a unit, such as 30s',
    '30': 'has no unit; write a duration such as 30s (units: ms, s, m, h, d)',
    '30sec': 'has an unknown unit; write a duration such as 30s (units: ms, s, m, h, d)',
    '99999999999999999d': 'is too large',
  }
  for (const [text, mistake] of Object.entries(mistakes)) t.same(parseDuration(text), { mistake }, text)
  t.same(parseSize('50Gi'), { mistake: 'has an unknown unit; write a size such as 50GiB (units: kB, MB, GB, TB, KiB, MiB, GiB, TiB)' })
})

t.test('a timeout is what setTimeout can wait for', async t => {
  t.same(parseTimeout('24d'), { value: 2_073_600_000 })
  t.ok(2_073_600_000 < 2 ** 31)
  for (const text of ['0s', '25d']) t.same(parseTimeout(text), { mistake: 'must be more than 0s and at most 24d' }, text)
})
