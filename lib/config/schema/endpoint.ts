import { AVAILABLE_TYPES, DEFAULT_URLS, ENDPOINT_TYPES } from '../endpoint-types.ts'
import { count, flag, listOf, mapOf, scalar, secret, section, text, type SchemaNode } from './node.ts'

const TYPES_WITHOUT_DEFAULT = ENDPOINT_TYPES.filter(name => DEFAULT_URLS[name] === undefined)

const type: SchemaNode = {
  type: 'string',
  enum: ENDPOINT_TYPES,
  description: 'What kind of registry this is, in Harbor\'s words. "docker-registry" is any registry that speaks the OCI distribution API.',
  examples: ['docker-hub'],
  notAvailableYet: { except: AVAILABLE_TYPES, instead: 'use docker-registry with the registry\'s url' },
}

const url = scalar('registryUrl', 'Address of the registry: http or https, host, port, and a path prefix where it has one. docker-hub has a default.', {
  examples: ['https://harbor.corp.example'],
})

const credentials = section('What to log in with; absent: anonymous.', {
  username: text('User name, robot account or token name.', { examples: ['robot$puller'] }),
  password: secret('Password or token.'),
}, { required: ['username', 'password'] })

const tls = section('TLS of the connection to this endpoint. Files are PEM; paths are relative to this file.', {
  caFile: text('Certificates to trust beside the system\'s.', { outside: 'certificate', examples: ['/etc/ssl/corp.pem'] }),
  verify: flag('Whether the endpoint\'s certificate is verified. Only false where nobody else is on the way.', { default: true }),
  certFile: text('Client certificate to show to the endpoint; needs keyFile.', { outside: 'certificate' }),
  keyFile: text('Private key of the client certificate, without a passphrase; needs certFile.', { outside: 'privateKey' }),
}, { default: {}, dependencies: { certFile: ['keyFile'], keyFile: ['certFile'] } })

const timeouts = section('How long to wait for the endpoint: 1ms to 24d each. There is no limit to a whole download, as a 40 GB layer may take its time.', {
  connect: scalar('timeout', 'Until the connection stands, TLS included. Default 3s.', { default: '3s' }),
  response: scalar('timeout', 'Until the answer begins. Default 10s.', { default: '10s' }),
  idle: scalar('timeout', 'Between two pieces of a download. Default 30s.', { default: '30s' }),
}, { default: {} })

const limits = section('How much may be asked of this endpoint at a time.', {
  connections: count(1, 'Requests at a time; more wait their turn.', { examples: [32] }),
  queueTimeout: scalar('timeout', 'How long a request may wait its turn.', { examples: ['30s'] }),
  bandwidth: scalar('rate', 'Bytes per second for all downloads together.', { examples: ['200MiB/s'] }),
  rateReserve: count(0, 'Pulls of the registry\'s own rate limit that are left to others: with no more than these to go, cached content is served without asking.', { examples: [10] }),
}, { notAvailableYet: { except: [{}] } })

const endpoint = section('One upstream registry.', {
  type,
  url,
  credentials,
  tls,
  proxy: scalar('proxyUrl', 'HTTP proxy on the way to the endpoint. Absent: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment.', { examples: ['http://proxy.corp.example:3128'] }),
  timeouts,
  trustedRealms: listOf(
    scalar('hostName', 'Host name alone.'),
    'Token servers outside of the endpoint\'s own domain that may be sent the credentials.',
    { default: [], examples: [['auth.corp.example']] },
  ),
  limits,
}, {
  required: ['type'],
  if: { type: 'object', properties: { type: { enum: TYPES_WITHOUT_DEFAULT } }, required: ['type'] },
  then: { type: 'object', properties: { url: {} }, required: ['url'], whyRequired: 'write the registry\'s address, such as url: https://registry.example.com' },
})

export const endpoints = mapOf(endpoint, 'Upstream registries, each under a name of your own that projects refer to.', {
  minProperties: 1,
  names: 'endpoint',
  examples: [{ dockerhub: { type: 'docker-hub' } }],
  whyRequired: 'name an upstream registry, such as endpoints: { dockerhub: { type: docker-hub } }',
})
