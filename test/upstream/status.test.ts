import t from 'tap'
import { rateLimitFailure, reasonOf, retryAfterSeconds, statusFailure } from '../../lib/upstream/status.ts'

const now = Date.UTC(2026, 0, 1)
const chance = (random: number) => ({ now: () => now, random: () => random })

t.test('what a status means', async t => {
  for (const status of [401, 403]) t.equal(reasonOf(status), 'denied')
  for (const status of [404, 410]) t.equal(reasonOf(status), 'not-found')
  for (const status of [408, 504]) t.equal(reasonOf(status), 'timeout')
  t.equal(reasonOf(429), 'rate-limited')
  for (const status of [201, 204, 300, 304, 400, 405, 418, 451, 500, 502, 503, 599]) t.equal(reasonOf(status), 'server-error', String(status))
})

const ROWS: [string, string | undefined, number][] = [
  ['seconds', '7', 7],
  ['zero', '0', 0],
  ['more than an hour', '86400', 3600],
  ['absurdly many', '9'.repeat(400), 3600],
  ['a date', new Date(now + 90_000).toUTCString(), 90],
  ['a date in the past', new Date(now - 90_000).toUTCString(), 0],
  ['a negative number', '-5', 30],
  ['garbage', 'soon', 30],
  ['nothing', undefined, 30],
]

for (const [name, header, seconds] of ROWS) t.test(`Retry-After: ${name}`, async t => { t.equal(retryAfterSeconds(header, chance(0.5)), seconds) })

t.test('the default is jittered', async t => {
  t.equal(retryAfterSeconds(undefined, chance(0)), 24)
  t.equal(retryAfterSeconds(undefined, chance(1)), 36)
})

t.test('failures name the host and the status', async t => {
  t.match(statusFailure('cdn.example', 503), { reason: 'server-error', status: 503, message: 'cdn.example answers with an error (HTTP 503)', retryAfter: undefined })
  t.match(rateLimitFailure('hub.example', '5', chance(0)), { reason: 'rate-limited', status: 429, retryAfter: 5 })
})
