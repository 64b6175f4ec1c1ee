import { createServer, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { discard } from '../../lib/upstream/body.ts'
import { createTransport, headerOf, type HttpRequest, type Transport } from '../../lib/upstream/transport.ts'
import { endpoint, failureOf, readAll, scripted } from './support.ts'

const timeouts = { connect: 200, response: 200, idle: 200 }

function transport(t: Test, url: string): Transport {
  const it = createTransport(endpoint(url, { timeouts }), {})
  t.teardown(() => it.close())
  return it
}

const get = (url: string): HttpRequest => ({ method: 'GET', url: new URL(url), headers: {} })

/** A port where bytes are answered with others, or with none. */
async function raw(t: Test, answer: string): Promise<string> {
  const server = createServer(socket => socket.on('error', () => {}).once('data', () => { if (answer !== '') socket.end(answer) }))
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('nothing is followed, nothing decompressed, nothing thrown for a status', async t => {
  const packed = gzipSync('x')
  const server = await scripted(t, () => ({ status: 302, headers: { location: '/elsewhere', 'content-encoding': 'gzip' }, body: packed }))
  const { status, headers, body } = await transport(t, server.url).send(get(`${server.url}/x`))
  t.equal(status, 302)
  t.equal(headerOf(headers, 'location'), '/elsewhere')
  t.equal((await body.toArray()).map(chunk => (chunk as Buffer).length).reduce((sum, length) => sum + length), packed.length)
  t.equal(server.requests.length, 1)
})

t.test('connections are kept', async t => {
  const server = await scripted(t, () => ({ status: 200, body: 'x' }))
  const { send } = transport(t, server.url)
  for (let n = 0; n < 20; n += 1) await readAll((await send(get(server.url))).body)
  t.ok(server.connections() <= 3, `${server.connections()}`)
})

t.test('a connection that dies as it is used again is replaced at once', async t => {
  const server = await scripted(t, (_, count) => count === 2 ? 'hang-up' : { status: 200, body: 'x' })
  const { send } = transport(t, server.url)
  discard((await send(get(server.url))).body)
  t.equal((await send({ ...get(server.url), method: 'HEAD' })).status, 200)
  t.equal(server.requests.length, 3)
})

t.test('once, and no more', async t => {
  const server = await scripted(t, () => 'hang-up')
  const { send } = transport(t, server.url)
  t.match(await failureOf(send(get(server.url))), { reason: 'unreachable', message: /broke the connection/ })
  t.equal(server.requests.length, 2)
  await failureOf(send({ ...get(server.url), fresh: true }))
  t.equal(server.requests.length, 3)
})

t.test('no answer in time', async t => {
  const server = await scripted(t, () => 'silence')
  t.match(await failureOf(transport(t, server.url).send(get(server.url))), { reason: 'timeout', message: /does not answer in time/ })
  t.equal(server.requests.length, 1, 'not asked twice')
})

t.test('no connection in time', async t => {
  const host = await raw(t, '')
  t.match(await failureOf(transport(t, `https://${host}`).send(get(`https://${host}/`))), { reason: 'timeout', message: /no connection in time/ })
})

t.test('a body that stops errors when the idle time is over; there is no total time', async t => {
  const server = await scripted(t, () => ({ status: 200, headers: { 'content-length': '3' }, body: 'x' }))
  const { body } = await transport(t, server.url).send(get(server.url))
  await t.rejects(readAll(body), { code: 'UND_ERR_BODY_TIMEOUT' })
})

t.test('what is no HTTP', async t => {
  const host = await raw(t, 'SSH-2.0-OpenSSH\r\n')
  t.match(await failureOf(transport(t, `http://${host}`).send(get(`http://${host}/`))), { reason: 'server-error', message: /not HTTP/ })
})

t.test('https spoken to http', async t => {
  const server = await scripted(t, () => ({ status: 200 }))
  const url = server.url.replace('http', 'https')
  t.match(await failureOf(transport(t, url).send(get(url))), { reason: 'unreachable', message: /is it http\?/ })
})

t.test('a name that DNS does not know', async t => {
  t.match(await failureOf(transport(t, 'http://registry.invalid').send(get('http://registry.invalid/'))), { reason: 'unreachable', message: /^registry\.invalid / })
})

t.test('too many headers', async t => {
  const server = await scripted(t, () => ({ status: 200, headers: { 'x-long': 'x'.repeat(20_000) } }))
  t.match(await failureOf(transport(t, server.url).send(get(server.url))), { reason: 'server-error', message: /too many headers/ })
})

t.test('of a header sent twice, the first counts', async t => {
  t.equal(headerOf({ a: ['1', '2'] }, 'a'), '1')
  t.equal(headerOf({}, 'a'), undefined)
})
