import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { startEntrepot, type CommandLine } from './entrepot.ts'
import { get } from './http.ts'

/** Behaves as the process is agreed to, or not. */
function impostor(onSigterm: string): CommandLine {
  const script = `
    const [, , file] = process.argv.slice(1)
    const port = Number(/listen: 127.0.0.1:(\\d+)/.exec(require('fs').readFileSync(file, 'utf8'))[1])
    const server = require('http').createServer((request, response) => {
      console.log(JSON.stringify({ level: 30, msg: 'request', method: request.method, status: 200, proxy: process.env.HTTP_PROXY }))
      response.end('ok')
    }).listen(port, '127.0.0.1', () => {
      console.log(JSON.stringify({ level: 30, msg: 'listening on http://127.0.0.1:' + server.address().port }))
      console.log('docker pull this')
    })
    process.on('SIGTERM', () => { ${onSigterm} })`
  return { command: process.execPath, args: ['-e', script, '--'] }
}

t.test('starts, logs, stops, restarts on the same port and directory', async t => {
  process.env['HTTP_PROXY'] = 'http://127.0.0.1:9'
  const entrepot = await startEntrepot(t, { config: { endpoints: {}, storage: { maxSize: '1GiB' } }, runtime: impostor('process.exit(0)') })
  const { url, pid } = entrepot
  t.equal((await get(`${url}/v2/`)).status, 200)
  await entrepot.logged(line => line.msg === 'request')
  t.match(entrepot.requestLog(), [{ method: 'GET', status: 200, proxy: undefined }])
  t.same(entrepot.output, ['docker pull this'])
  await entrepot.stop()
  await t.rejects(get(url), { code: 'ECONNREFUSED' })
  await entrepot.restart()
  t.equal(entrepot.url, url)
  t.not(entrepot.pid, pid)
  t.match(parse(readFileSync(entrepot.configFile, 'utf8')), { listen: entrepot.host, storage: { maxSize: '1GiB', directory: entrepot.storage } })
  t.match(await entrepot.kill(), { signal: 'SIGKILL' })
  await entrepot.restart()
  t.equal((await get(url)).status, 200)
})

t.test('says so when the exit is not clean, or does not come', async t => {
  const failing = await startEntrepot(t, { config: {}, runtime: impostor('process.exit(3)') })
  await t.rejects(failing.stop(), { message: /exited with 3/ })
  const deaf = await startEntrepot(t, { config: {}, runtime: impostor('') })
  await t.rejects(deaf.stop(200), { message: /did not end within 200 ms/ })
})

t.test('says what was printed when it does not start', async t => {
  const runtime = { command: process.execPath, args: ['-e', 'console.error("no such key"); process.exit(1)', '--'] }
  await t.rejects(startEntrepot(t, { config: {}, runtime }), { message: /exited with 1[^]*no such key/ })
})
