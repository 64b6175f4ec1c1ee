import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// `bare.ts BASE64 TYPE DIGEST`: what node:http can do at most: one answer, of bytes at hand, to whatever is asked.

const [encoded = '', type = '', digest = ''] = process.argv.slice(2)
const bytes = Buffer.from(encoded, 'base64')
const headers = { 'content-type': type, 'content-length': bytes.length, 'docker-content-digest': digest }

const server = createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(bytes)
})
// Longer than a scenario's pauses: as an upstream it must not hang up on a cache that is about to ask.
server.keepAliveTimeout = 90_000
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
