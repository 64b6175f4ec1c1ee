import t from 'tap'
import { SingleFlight } from '../../lib/cache/single-flight.ts'

function deferred<T>() {
  let settle: { resolve: (value: T) => void; reject: (error: Error) => void } | undefined
  const promise = new Promise<T>((resolve, reject) => { settle = { resolve, reject } })
  return { promise, resolve: (value: T) => settle?.resolve(value), reject: (error: Error) => settle?.reject(error) }
}

t.test('a hundred callers are one run', async t => {
  const flights = new SingleFlight<number>()
  const { promise, resolve } = deferred<number>()
  let runs = 0
  const callers = Array.from({ length: 100 }, () => flights.run('a', () => { runs += 1; return promise }))
  resolve(7)
  const results = await Promise.all(callers)
  t.equal(runs, 1)
  t.same(results, Array.from({ length: 100 }, (_, index) => ({ value: 7, collapsed: index > 0 })))
})

t.test('keys fly apart', async t => {
  const flights = new SingleFlight<string>()
  const results = await Promise.all(['a', 'b', '__proto__'].map(key => flights.run(key, async () => key)))
  t.same(results, ['a', 'b', '__proto__'].map(value => ({ value, collapsed: false })))
})

t.test('who comes after the end begins anew', async t => {
  const flights = new SingleFlight<number>()
  for (const value of [1, 2, 3]) t.same(await flights.run('a', async () => value), { value, collapsed: false })
})

t.test('a failure is everybody\'s, and nobody\'s after it', async t => {
  const flights = new SingleFlight<number>()
  const { promise, reject } = deferred<number>()
  const callers = Array.from({ length: 3 }, () => flights.run('a', () => promise).catch((error: unknown) => error))
  const error = new Error('down')
  reject(error)
  t.same(await Promise.all(callers), [error, error, error])
  t.same(await flights.run('a', async () => 1), { value: 1, collapsed: false })
})

t.test('work that throws at once leaves nothing behind', async t => {
  const flights = new SingleFlight<number>()
  await t.rejects(flights.run('a', () => { throw new Error('at once') }), { message: 'at once' })
  t.same(await flights.run('a', async () => 1), { value: 1, collapsed: false })
})

t.test('a caller who leaves ends nothing', async t => {
  const flights = new SingleFlight<number>()
  const { promise, resolve } = deferred<number>()
  void flights.run('a', () => promise)
  const follower = flights.run('a', async () => 0)
  resolve(1)
  t.same(await follower, { value: 1, collapsed: true })
})
