import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { ServerOptions } from 'node:https'
import { rootCertificates, type TLSSocket } from 'node:tls'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import t, { type Test } from 'tap'
import type { EndpointConfig } from '../../lib/config/config.ts'
import { createTransport } from '../../lib/upstream/transport.ts'
import { foreignTls, ownTls, type Environment } from '../../lib/upstream/dispatcher.ts'
import { endpoint, failureOf, readAll, scripted, tunnel, world } from './support.ts'

interface Pair { cert: string; key: string }

const dir = t.testdir()
const ca = authority('ca')
const server = issued('server', 'DNS:registry.example,IP:127.0.0.1')
const client = issued('client', 'DNS:client')

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
}

function read(name: string): Pair {
  return { cert: readFileSync(`${dir}/${name}.pem`, 'utf8'), key: readFileSync(`${dir}/${name}.key`, 'utf8') }
}

function authority(name: string): Pair {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '1')
  return read(name)
}

function issued(name: string, names: string): Pair {
  writeFileSync(`${dir}/${name}.ext`, `subjectAltName=${names}`)
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-out', `${name}.pem`, '-extfile', `${name}.ext`)
  return read(name)
}

/** Answers with the name in the client's certificate. */
async function tlsServer(t: Test, options: ServerOptions = {}): Promise<{ url: string; port: number }> {
  const it = createServer({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: false, ...options }, (request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject as { CN?: string } | undefined
    response.end(subject?.CN ?? 'nobody')
  })
  it.on('tlsClientError', () => {})
  await new Promise<void>(resolve => { it.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { it.closeAllConnections(); it.close() })
  const { port } = it.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}`, port }
}

async function get(t: Test, url: string, config: EndpointConfig, env: Environment = {}): Promise<string> {
  const transport = createTransport(config, env)
  t.teardown(() => transport.close())
  const { status, body } = await transport.send({ method: 'GET', url: new URL(url), headers: {} })
  return `${status} ${await readAll(body)}`
}

t.test('an authority of our own, beside the system\'s', async t => {
  const { url } = await tlsServer(t)
  t.equal(await get(t, url, endpoint(url, { tls: { verify: true, ca: ca.cert } })), '200 nobody')
  t.match(await failureOf(get(t, url, endpoint(url))), { reason: 'unreachable', message: /tls\.caFile/ })
  for (const tls of [ownTls, foreignTls]) t.same(tls({ verify: true, ca: ca.cert }).ca, [...rootCertificates, ca.cert], 'a blob may come from a public CDN')
})

t.test('verify: false holds for the endpoint alone', async t => {
  const [own, foreign] = [await tlsServer(t), await tlsServer(t)]
  const config = endpoint(own.url, { tls: { verify: false } })
  t.equal(await get(t, own.url, config), '200 nobody')
  t.match(await failureOf(get(t, foreign.url, config)), { reason: 'unreachable', message: /tls\.caFile/ })
})

t.test('the client certificate is shown to the endpoint alone', async t => {
  const [own, foreign] = [await tlsServer(t), await tlsServer(t)]
  const config = endpoint(own.url, { tls: { verify: true, ca: ca.cert, cert: client.cert, key: client.key } })
  t.equal(await get(t, own.url, config), '200 client')
  t.equal(await get(t, foreign.url, config), '200 nobody')
})

t.test('a registry that demands a client certificate says which key is missing', async t => {
  const { url } = await tlsServer(t, { rejectUnauthorized: true })
  t.match(await failureOf(get(t, url, endpoint(url, { tls: { verify: true, ca: ca.cert } }))), { reason: 'unreachable' })
  t.equal(await get(t, url, endpoint(url, { tls: { verify: true, ca: ca.cert, cert: client.cert, key: client.key } })), '200 client')
})

t.test('a certificate for another name', async t => {
  const { url } = await tlsServer(t)
  const other = url.replace('127.0.0.1', 'localhost')
  t.match(await failureOf(get(t, other, endpoint(other, { tls: { verify: true, ca: ca.cert } }))), { reason: 'unreachable', message: /another name/ })
})

t.test('an endpoint\'s proxy: https is tunnelled, certificates and all', async t => {
  const { port } = await tlsServer(t)
  const proxy = await tunnel(t, port)
  const tls = { verify: true, ca: ca.cert, cert: client.cert, key: client.key }
  const config = endpoint('https://registry.example', { proxy: proxy.url.replace('//', '//user:geheim@'), tls })
  t.equal(await get(t, 'https://registry.example/v2/', config), '200 client')
  t.same(proxy.asked, ['registry.example:443'])
  t.equal(proxy.headers[0]?.['proxy-authorization'], `Basic ${Buffer.from('user:geheim').toString('base64')}`)
  t.match(await failureOf(get(t, 'https://registry.example/v2/', endpoint('https://registry.example', { proxy: proxy.url }))), { message: /tls\.caFile/ })
})

t.test('an endpoint\'s proxy: http is forwarded, not tunnelled', async t => {
  const proxy = await world(t, { 'registry.example': () => ({ status: 200, body: 'ok' }), 'cdn.example': () => ({ status: 200, body: 'cdn' }) })
  const config = endpoint('http://registry.example', { proxy: proxy.url })
  t.equal(await get(t, 'http://registry.example/v2/?x=1', config), '200 ok')
  t.equal(await get(t, 'http://cdn.example/y', config), '200 cdn', 'other origins too')
  t.match(proxy.requests[0], { host: 'registry.example', path: '/v2/?x=1' })
})

t.test('a proxy that wants a password, one that refuses, one that is not there', async t => {
  const asking = await scripted(t, () => ({ status: 407, body: 'who are you' }))
  t.match(await failureOf(get(t, 'http://registry.example/', endpoint('http://registry.example', { proxy: asking.url }))), { reason: 'unreachable', message: /proxy/ })
  const refusing = createHttpServer().on('connect', (_: unknown, socket: Socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
  await new Promise<void>(resolve => { refusing.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { refusing.close() })
  const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`
  t.match(await failureOf(get(t, 'https://registry.example/', endpoint('https://registry.example', { proxy: url }))), { reason: 'unreachable', message: /proxy/ })
  await asking.stop()
  t.match(await failureOf(get(t, 'https://registry.example/', endpoint('https://registry.example', { proxy: asking.url }))), { reason: 'unreachable', message: /proxy/ })
})

t.test('a proxy that closes instead of answering is not dialled for ever', async t => {
  let connections = 0
  const closing = createTcpServer(socket => {
    connections += 1
    socket.on('error', () => {}).once('data', () => socket.destroy())
  })
  await new Promise<void>(resolve => { closing.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { closing.close() })
  const proxy = `http://127.0.0.1:${(closing.address() as AddressInfo).port}`
  t.match(await failureOf(get(t, 'https://registry.example/', endpoint('https://registry.example', { proxy }))), { reason: 'unreachable', message: /proxy/ })
  t.equal(connections, 1)
})

t.test('a proxy that never answers is given up on', async t => {
  const silent = createHttpServer().on('connect', () => {})
  await new Promise<void>(resolve => { silent.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { silent.closeAllConnections(); silent.close() })
  const config = endpoint('https://registry.example', { proxy: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, timeouts: { connect: 200, response: 300, idle: 300 } })
  t.match(await failureOf(get(t, 'https://registry.example/', config)), { reason: 'timeout', message: /proxy/ })
})

t.test('HTTP_PROXY, HTTPS_PROXY and NO_PROXY', async t => {
  const proxy = await world(t, { 'registry.example': () => ({ status: 200, body: 'proxied' }) })
  const { port } = await tlsServer(t)
  const tunnelling = await tunnel(t, port)
  const env = { HTTP_PROXY: proxy.url.replace('http://', ''), https_proxy: tunnelling.url, NO_PROXY: 'corp.invalid' }
  t.equal(await get(t, 'http://registry.example/', endpoint('http://registry.example'), env), '200 proxied')
  t.equal(await get(t, 'https://registry.example/', endpoint('https://registry.example', { tls: { verify: true, ca: ca.cert } }), env), '200 nobody')
  t.same(tunnelling.asked, ['registry.example:443'])
  t.match(await failureOf(get(t, 'http://r.corp.invalid/', endpoint('http://r.corp.invalid'), env)), { reason: 'unreachable' })
  t.equal(proxy.requests.length, 1, 'NO_PROXY holds for subdomains')
  t.match(await failureOf(get(t, 'http://registry.invalid/', endpoint('http://registry.invalid'), { ...env, NO_PROXY: '*' })), { reason: 'unreachable' })
  t.equal(proxy.requests.length, 1)
})

t.test('loopback is never proxied, as in Go', async t => {
  const proxy = await world(t, {})
  const local = await scripted(t, () => ({ status: 200, body: 'direct' }))
  t.equal(await get(t, local.url, endpoint(local.url), { HTTP_PROXY: proxy.url }), '200 direct')
  t.equal(proxy.requests.length, 0)
})

t.test("an endpoint's proxy goes before the environment's", async t => {
  const [mine, theirs] = [await world(t, { 'registry.example': () => ({ status: 200, body: 'mine' }) }), await world(t, {})]
  const config = endpoint('http://registry.example', { proxy: mine.url })
  t.equal(await get(t, 'http://registry.example/', config, { HTTP_PROXY: theirs.url, NO_PROXY: '*' }), '200 mine')
})
