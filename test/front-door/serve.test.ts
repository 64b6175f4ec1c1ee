import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { VERSION } from '../../lib/version.ts'
import { cacheOf, outcome, REPOSITORY } from '../support/cache.ts'
import { commandLine } from '../support/entrepot.ts'
import { get } from '../support/http.ts'
import { image, randomContent } from '../support/image.ts'
import { run, start } from '../support/processes.ts'
import { scriptedUpstream, slow } from '../support/scripted-upstream.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const { command, args } = commandLine('built')

function entrepot(...given: string[]): ReturnType<typeof run> {
  return run(command, [...args, ...given])
}

function configFile(t: { teardown(callback: () => unknown): unknown }, text: string): string {
  const file = join(temporaryDirectory(t, 'config'), 'entrepot.yaml')
  writeFileSync(file, text)
  return file
}

const MINIMAL = 'endpoints: { up: { type: docker-registry, url: "http://127.0.0.1:9" } }\nprojects: { p: { endpoint: up } }\n'

t.test('the example configuration serves, and prints one pull command for each project', async t => {
  const file = configFile(t, readFileSync(join(ROOT, 'config.example.yaml'), 'utf8').replace(/^listen:.*$/m, 'listen: 127.0.0.1:0'))
  const running = start(t, command, [...args, 'serve', '--config', file])
  const [, host = ''] = await running.line(/listening on http:\/\/(\S+)/)
  await running.line(/docker pull \S+\/mcr\//)
  const pulls = running.lines.filter(line => line.includes('docker pull')).map(line => line.trim())
  t.strictSame(pulls.map(line => /^docker pull ([^/]+)\/([^/]+)\/\S+:\S+$/.exec(line)?.slice(1)), [
    [host, 'hub'], [host, 'ghcr'], [host, 'quay'], [host, 'k8s'], [host, 'gcr'], [host, 'ecr-public'], [host, 'mcr'],
  ])
  t.match(await running.stop('SIGTERM'), { code: 0 })
})

t.test('publicUrl is what clients are told', async t => {
  const file = configFile(t, `listen: 127.0.0.1:0\npublicUrl: https://cache.example.com\n${MINIMAL}`)
  const running = start(t, command, [...args, 'serve', '--config', file])
  await running.line(/docker pull cache\.example\.com\/p\//)
  t.match(await running.stop('SIGINT'), { code: 0 })
})

t.test('a port in use is one line, and exit code 1', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const address = taken.address() as { port: number }
  const { code, stderr } = await entrepot('serve', '--config', configFile(t, `listen: 127.0.0.1:${address.port}\n${MINIMAL}`))
  t.match([code, stderr], [1, `127.0.0.1:${address.port} is in use: stop what listens there, or change \`listen\`\n`])
})

t.test('a bad configuration: all errors, exit code 1', async t => {
  const file = configFile(t, 'listenn: 1\nprojects: { p: { endpoint: nowhere } }\n')
  const { code, stderr, stdout } = await entrepot('serve', '--config', file)
  t.equal(code, 1)
  t.match(stderr, new RegExp(`^${file}:1:1 listenn: .*did you mean "listen"`, 'm'))
  t.notMatch(stderr + stdout, /\s+at .*\.js:/, 'no stack')
})

t.test('a storage directory that cannot be used: one line, exit code 1', async t => {
  const file = configFile(t, `storage: { directory: /dev/null/data }\nlisten: 127.0.0.1:0\n${MINIMAL}`)
  const { code, stderr } = await entrepot('serve', '--config', file)
  t.match([code, stderr], [1, /^storage\.directory \/dev\/null\/data cannot be used \(ENOTDIR\)/])
})

t.test('usage: help, version, unknown commands and options', async t => {
  t.match(await entrepot(), { code: 0, stdout: /serve .*\n.*check .*\n.*schema/ })
  t.match(await entrepot('--version'), { code: 0, stdout: `${VERSION}\n` })
  t.match(await entrepot('serve', '--help'), { code: 0, stdout: /--config FILE/ })
  t.match(await entrepot('srve'), { code: 2, stderr: /did you mean "serve"/ })
  t.match(await entrepot('serve', '--nonsense'), { code: 2, stderr: /--nonsense/ })
})

t.test('the version is package.json\'s', t => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  t.equal(VERSION, version)
  t.end()
})

t.test('a project that points to another upstream does not serve the old one\'s images', async t => {
  const [before, after] = [await scriptedUpstream(t), await scriptedUpstream(t)]
  const old = image({ seed: 'old' })
  before.push(REPOSITORY, old, 'latest')
  const cache = await cacheOf(t, before)
  t.equal((await cache.get('manifests/latest')).status, 200)
  const configOf = (url: string): Record<string, unknown> => ({ endpoints: { up: { type: 'docker-registry', url } }, projects: { p: { endpoint: 'up' } } })
  await cache.entrepot.restart(configOf(after.url))
  t.equal((await get(cache.url('manifests/latest'))).status, 404)
  t.equal((await get(cache.url(`manifests/${old.digest}`))).status, 404)
  await after.stop()
  t.equal((await get(cache.url('manifests/other'))).status, 503, 'no stale copy of another registry')
})

t.test('text format for people', async t => {
  const upstream = await scriptedUpstream(t)
  upstream.push(REPOSITORY, image({ seed: 'x' }), 'latest')
  const cache = await cacheOf(t, upstream, { config: { log: { format: 'text' } } })
  t.equal(outcome(await cache.get('manifests/latest')), 'miss')
  await cache.entrepot.stop()
  t.match(cache.entrepot.output.join('\n'), /INFO.*request/)
})

t.test('a second signal, as npm and a terminal send it, cuts nothing: the pull ends, exit code 0', async t => {
  const upstream = await scriptedUpstream(t)
  const cache = await cacheOf(t, upstream)
  const digest = upstream.addBlob(REPOSITORY, randomContent(1024 * 1024, 'twice'))
  upstream.on('GET', digest).once(slow(1024 * 1024))
  const pull = get(cache.url(`blobs/${digest}`))
  await upstream.arrival('GET', digest)
  cache.entrepot.signal('SIGTERM')
  await cache.entrepot.logged(({ msg }) => /shutting down/.test(msg))
  cache.entrepot.signal('SIGINT')
  await cache.entrepot.stop()
  t.ok((await pull).complete)
})

t.test('a connection that has sent nothing, or half a request, holds up no shutdown', async t => {
  const cache = await cacheOf(t, await scriptedUpstream(t))
  const { hostname, port } = new URL(cache.entrepot.url)
  for (const text of ['', 'GET /v2/ HT', 'PUT /v2/p/x/manifests/y HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf']) {
    const socket = connect(Number(port), hostname).on('error', () => {})
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(text)
  }
  // Connections are taken in turn: once a later one is answered, all are known.
  t.equal((await get(`${cache.entrepot.url}/v2/`)).status, 200)
  await cache.entrepot.stop(5000)
})
