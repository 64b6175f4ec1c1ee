import t from 'tap'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'
import { TokenCache, type Token, type TokenQuestion } from '../../lib/upstream/token-cache.ts'
import { failureOf, FakeClock } from './support.ts'

const question: TokenQuestion = { origin: 'https://r.example', realm: new URL('https://a.example/token'), service: 's', scope: 'repository:a:pull' }

function setUp(answer: (calls: number) => Token | UpstreamFailure = calls => ({ value: `t${calls}`, expiresIn: 100 })) {
  const clock = new FakeClock()
  const asked: TokenQuestion[] = []
  const tokens = new TokenCache(async question => {
    asked.push(question)
    const outcome = answer(asked.length)
    if (outcome instanceof UpstreamFailure) throw outcome
    return outcome
  }, clock)
  return { clock, tokens, asked }
}

t.test('login per request (Harbor #23750): any number of requests, one call', async t => {
  const { tokens, asked } = setUp()
  t.same(new Set(await Promise.all(Array.from({ length: 100 }, () => tokens.get(question)))), new Set(['t1']))
  t.equal(await tokens.get(question), 't1')
  t.equal(asked.length, 1)
})

t.test('used until nine tenths of its life', async t => {
  const { tokens, clock } = setUp()
  await tokens.get(question)
  clock.advance(89_999)
  t.equal(await tokens.get(question), 't1')
  clock.advance(1)
  t.equal(await tokens.get(question), 't2')
})

t.test('a refused token is not used again; a newer one stays', async t => {
  const { tokens } = setUp()
  await tokens.get(question)
  tokens.refuse(question, 't1')
  t.equal(await tokens.get(question), 't2')
  tokens.refuse(question, 't1')
  t.equal(await tokens.get(question), 't2')
})

t.test('one token for each origin, realm, service and scope', async t => {
  const { tokens, asked } = setUp()
  const others = [{ origin: 'https://o.example' }, { realm: new URL('https://b.example/token') }, { service: undefined }, { scope: 'repository:b:pull' }]
  for (const other of [{}, ...others]) await tokens.get({ ...question, ...other })
  t.equal(asked.length, 5)
})

t.test('a million repositories cost calls, not memory', async t => {
  const { tokens, asked } = setUp()
  for (let n = 0; n < 1001; n += 1) await tokens.get({ ...question, scope: `repository:r${n}:pull` })
  await tokens.get({ ...question, scope: 'repository:r1000:pull' })
  t.equal(asked.length, 1001)
  await tokens.get({ ...question, scope: 'repository:r0:pull' })
  t.equal(asked.length, 1002, 'the oldest was forgotten')
})

t.test('a failure is everybody\'s who waited, and not kept', async t => {
  const { tokens } = setUp(calls => calls === 1 ? new UpstreamFailure('server-error', 'broken') : { value: 'ok', expiresIn: 60 })
  const both = await Promise.all([failureOf(tokens.get(question)), failureOf(tokens.get(question))])
  t.equal(both[0], both[1])
  t.equal(await tokens.get(question), 'ok')
})

t.test('a silent token server is not waited for by everyone in turn', async t => {
  const { tokens, clock, asked } = setUp(calls => calls === 1 ? new UpstreamFailure('timeout', 'silent') : { value: 'ok', expiresIn: 60 })
  t.equal((await failureOf(tokens.get(question))).reason, 'timeout')
  t.equal((await failureOf(tokens.get({ ...question, scope: 'other' }))).reason, 'timeout')
  t.equal(asked.length, 1)
  clock.advance(2000)
  t.equal(await tokens.get(question), 'ok')
})

t.test('a token server that limits our rate is left alone', async t => {
  const { tokens, clock, asked } = setUp(calls => calls === 1 ? new UpstreamFailure('rate-limited', 'slow down', { retryAfter: 40 }) : { value: 'ok', expiresIn: 60 })
  await failureOf(tokens.get(question))
  clock.advance(39_999)
  await failureOf(tokens.get(question))
  t.equal(asked.length, 1)
  clock.advance(1)
  t.equal(await tokens.get(question), 'ok')
})
