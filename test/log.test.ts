import t, { type Test } from 'tap'
import { startScript } from './script.ts'

async function written(t: Test, level: string, format: string): Promise<readonly string[]> {
  const writer = startScript(t, new URL('log-writer.ts', import.meta.url), [level, format])
  const { code } = await writer.exited
  t.equal(code, 0)
  return writer.lines
}

t.jobs = 4

t.test('JSON lines, each with a level and a time, and no secrets', async t => {
  const lines = await written(t, 'info', 'json')
  t.notMatch(lines.join('\n'), /hunter2|for developers/)
  const objects = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  for (const { time } of objects) t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.same(objects.map(({ level, msg }) => [level, msg]), [
    [30, 'request'], [40, 'upstream'], [50, 'ours'], [50, 'thrown'], [50, 'caused'], [50, 'said'], [50, 'circular'], [30, 'the end'],
  ])
  const [request, upstream, ours, , caused, said, circular] = objects
  t.same(Object.keys(request ?? {}), ['level', 'time', 'status', 'msg'])
  t.same(upstream?.['err'], { type: 'UpstreamFailure', message: 'no way', cause: { type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' } })
  t.match(ours, { err: { type: 'TypeError', message: 'bug', stack: /log-writer/ } }, 'a bug of ours has its stack')
  t.match(caused, { err: { message: 'outer' } })
  t.equal(said?.['err'], 'text')
  t.match(circular, { err: { message: 'round', cause: { message: 'and round' } } })
})

t.test('lines for people', async t => {
  const text = (await written(t, 'debug', 'text')).join('\n')
  t.match(text, /DEBUG.*: for developers/)
  t.match(text, /INFO.*: request/)
  t.match(text, /ECONNREFUSED/)
  t.notMatch(text, /hunter2/)
})

t.test('only what is serious enough, or nothing', async t => {
  t.same((await written(t, 'error', 'json')).map(line => (JSON.parse(line) as { msg: string }).msg), ['ours', 'thrown', 'caused', 'said', 'circular'])
  t.same(await written(t, 'silent', 'json'), [])
})
