import type { Parsed } from './parsed.ts'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const BYTES = {
  kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12,
  KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40,
} as const

// setTimeout fires at once for anything over 2^31 - 1 ms, which is 24.8 days.
const LONGEST_TIMEOUT = 24 * MILLISECONDS.d

/** `500ms`, `3s`, `5m`, `1h`, `7d`. @returns milliseconds */
export function parseDuration(text: string): Parsed<number> {
  return parseQuantity(text, MILLISECONDS, 'a duration', '30s')
}

/** A duration that a timer can wait for, and that is not over before it begins. @returns milliseconds */
export function parseTimeout(text: string): Parsed<number> {
  const duration = parseDuration(text)
  if ('mistake' in duration) return duration
  if (duration.value > 0 && duration.value <= LONGEST_TIMEOUT) return duration
  return { mistake: 'must be more than 0s and at most 24d' }
}

/** `50GiB`, `200MiB`; also kB, MB, GB and TB, by the thousand. @returns bytes */
export function parseSize(text: string): Parsed<number> {
  return parseQuantity(text, BYTES, 'a size', '50GiB')
}

/** `200MiB/s`. @returns bytes per second */
export function parseRate(text: string): Parsed<number> {
  const [, size] = /^(.*)\/s$/.exec(text) ?? []
  return size === undefined ? { mistake: 'must be a size per second, such as 200MiB/s' } : parseSize(size)
}

function parseQuantity(text: string, units: Record<string, number>, what: string, example: string): Parsed<number> {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? []
  const names = Object.keys(units)
  if (digits === '') return { mistake: `must be ${what} with a unit, such as ${example}` }
  if (unit === '') return { mistake: `has no unit; write ${what} such as ${example} (units: ${names.join(', ')})` }
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (factor === undefined) return { mistake: `has an unknown unit; write ${what} such as ${example} (units: ${names.join(', ')})` }
  const value = Number(digits) * factor
  return Number.isSafeInteger(value) ? { value } : { mistake: 'is too large' }
}
