import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Teardown } from './upstream/server.ts'

export interface ForwardProxy {
  /** For `proxy:`, HTTP_PROXY and HTTPS_PROXY. */
  readonly url: string
  /** `CONNECT 127.0.0.1:443`, or `GET http://127.0.0.1:80/v2/`, in order. */
  readonly requests: readonly string[]
}

/** A corporate proxy: CONNECT, and absolute-form requests. */
export async function forwardProxy(t: Teardown): Promise<ForwardProxy> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    pass(incoming, response)
  })
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    requests.push(`CONNECT ${incoming.url}`)
    tunnel(incoming.url ?? '', client, sockets)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

function pass(incoming: IncomingMessage, response: ServerResponse): void {
  const onward = request(incoming.url ?? '', { method: incoming.method ?? 'GET', headers: incoming.headers, agent: false }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    pipeline(answer, response).catch(() => response.destroy())
  })
  onward.on('error', () => response.destroy())
  pipeline(incoming, onward).catch(() => onward.destroy())
}

function tunnel(target: string, client: Socket, sockets: Set<Socket>): void {
  const { hostname, port } = new URL(`http://${target}`)
  const server = connect(Number(port || 80), hostname, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    pipeline(client, server, client).catch(() => {})
  })
  sockets.add(server)
  server.on('close', () => { sockets.delete(server); client.destroy() })
  server.on('error', () => client.destroy())
}
