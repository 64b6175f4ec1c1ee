import { endpoints } from './endpoint.ts'
import { count, listOf, mapOf, scalar, secret, section, text, type SchemaNode } from './node.ts'
import { projects } from './project.ts'

const tls = section('Makes the registry API speak HTTPS. PEM files, relative to this file.', {
  certFile: text('Certificate, and the chain up to its root.'),
  keyFile: text('Its private key.'),
}, { required: ['certFile', 'keyFile'], notAvailableYet: {} })

const admin = section('Health, metrics, dashboard and admin API: never on the registry\'s port.', {
  listen: scalar('listen', 'host:port, [::1]:port, or :port for all interfaces.', { examples: ['127.0.0.1:5080'] }),
}, { required: ['listen'], notAvailableYet: {} })

const sendfile = section('Behind nginx: cached blobs are sent by nginx itself, from storage.directory.', {
  header: text('Header that tells nginx what to send.', { examples: ['X-Accel-Redirect'] }),
  prefix: text('Path of nginx\' internal location for storage.directory.', { examples: ['/_entrepot/'] }),
}, { required: ['header', 'prefix'], notAvailableYet: {} })

const storage = section('Where content is kept.', {
  directory: text('Directory of the cache, relative to this file; made where it does not exist.', { default: './data' }),
  maxSize: scalar('size', 'How much is kept, as 50GiB; least recently used content goes first.', { examples: ['50GiB'], notAvailableYet: {} }),
  minFree: scalar('size', 'How much of the disk stays free, as 2GiB: below it content is evicted, then caching pauses, and pulls go on.', { examples: ['2GiB'], notAvailableYet: {} }),
}, { default: {} })

const redis = section('Optional: lets several replicas act as one, and keeps what is asked most in memory across restarts. Without Redis pulls go on.', {
  url: scalar('redisUrl', 'redis://host:port/database, or rediss:// for TLS.', { examples: ['redis://127.0.0.1:6379/0'] }),
  password: secret('Password of Redis.'),
  keyPrefix: { type: 'string', description: 'What the keys of this entrepot begin with; replicas share it.', default: 'entrepot:' },
}, { required: ['url'] })

const log = section('What is written to standard output.', {
  level: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'], description: 'From how serious on. Default info.', default: 'info' },
  format: { type: 'string', enum: ['json', 'text'], description: 'json: one object per line, for machines. text: for eyes. Default json.', default: 'json' },
}, { default: {} })

const users = section('Who may log in; absent: every project is public.', {
  htpasswdFile: text('htpasswd file with bcrypt hashes, relative to this file.', { examples: ['./htpasswd'] }),
}, { required: ['htpasswdFile'], notAvailableYet: {} })

/** The single truth about the configuration: what is allowed, what it means, what holds where nothing is written. */
export const configSchema: SchemaNode = section('Configuration of entrepot, a pull-through proxy cache for container images.', {
  listen: scalar('listen', 'Address of the registry API: host:port, [::1]:port, or :port for all interfaces. Default 127.0.0.1:5000.', { default: '127.0.0.1:5000' }),
  publicUrl: scalar('origin', 'What clients call, where it differs from listen: scheme, host and port.', { examples: ['https://cache.example.com'] }),
  tls,
  trustedProxies: listOf(scalar('network', 'Address or network.'), 'Whose X-Forwarded-Proto, -Host and -For are believed.', {
    examples: [['127.0.0.1/32']], notAvailableYet: { except: [[]] },
  }),
  passthrough: scalar('registryUrl', 'Registry that gets, pushes included, whatever belongs to no project. Not together with defaultProject.', {
    examples: ['http://127.0.0.1:5001'], notAvailableYet: {},
  }),
  defaultProject: text('Project that a path without a project prefix means. Not together with passthrough.', {
    keyOf: 'projects', examples: ['hub'], notAvailableYet: {},
  }),
  admin,
  sendfile,
  workers: count(1, 'Processes on this host that act as one; more than one needs redis. Default 1.', {
    default: 1, notAvailableYet: { except: [1], instead: 'write 1 or remove it' },
  }),
  storage,
  redis,
  endpoints,
  projects,
  users,
  groups: mapOf(listOf(text('User.'), 'Users of the group.'), 'Groups of users, for "access".', {
    examples: [{ ci: ['runner-a', 'runner-b'] }], notAvailableYet: { except: [{}] },
  }),
  log,
}, { title: 'entrepot', required: ['endpoints', 'projects'] })
