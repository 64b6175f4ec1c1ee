import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../lib/oci/digest.ts'
import { mustRun, run, start } from './processes.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Credentials } from './upstream/auth.ts'
import type { Teardown } from './upstream/server.ts'

/** What a client has after a pull. */
export interface Pulled {
  /** Digests of the manifests it knows the image by: the index, the platform's manifest, or both, as the client has it. */
  digests: string[]
  output: string
}

export interface PullOptions {
  credentials?: Credentials
}

/**
 * A real client, its own daemon where it has one, with nothing in its store before each pull. Plain HTTP to 127.0.0.1.
 * `pull` throws with the client's own words, and after 60 s. One pull at a time.
 */
export interface Client {
  pull(reference: string, options?: PullOptions): Promise<Pulled>
}

const DEADLINE = 60_000

export interface SkopeoOptions extends PullOptions {
  /** All platforms, and the index itself; otherwise the manifest of linux/amd64. */
  all?: boolean
}

/** @returns the digest of what came, and the `dir:` with its bytes */
export async function skopeoCopy(t: Teardown, reference: string, options: SkopeoOptions = {}): Promise<Pulled & { directory: string }> {
  const home = temporaryDirectory(t, 'skopeo')
  const directory = join(home, 'image')
  const output = await mustRun('skopeo', [
    '--insecure-policy', '--override-os', 'linux', '--override-arch', 'amd64', 'copy', '--src-tls-verify=false',
    ...(options.all === true ? ['--all'] : []), ...userFlag('--src-creds', options), `docker://${reference}`, `dir:${directory}`,
  ], { env: { HOME: home }, deadline: DEADLINE })
  return { directory, output, digests: [digestOf(readFileSync(join(directory, 'manifest.json')))] }
}

export function skopeo(t: Teardown): Client {
  return { pull: (reference, options) => skopeoCopy(t, reference, options) }
}

export function podman(t: Teardown): Client {
  const home = temporaryDirectory(t, 'podman')
  const podman = (...args: string[]): Promise<string> => mustRun('podman', [
    '--root', join(home, 'root'), '--runroot', join(home, 'run'), '--tmpdir', join(home, 'tmp'), '--storage-driver', 'vfs',
    '--cgroup-manager', 'cgroupfs', '--events-backend', 'none', ...args,
  ], { env: { HOME: home }, deadline: DEADLINE })
  return {
    async pull(reference, options = {}) {
      await podman('rmi', '--all', '--force')
      const output = await podman('pull', '--tls-verify=false', ...userFlag('--creds', options), reference)
      const digests = await podman('image', 'inspect', '--format', '{{join .RepoDigests " "}}', reference)
      return { output, digests: digestsIn(digests) }
    },
  }
}

export interface Containerd extends Client {
  /** Sets hosts.toml for a namespace, `docker.io` or `127.0.0.1:5000`; takes effect with the next pull. */
  hosts(namespace: string, toml: string): void
}

/** ctr with a containerd of its own. Without `hosts`, 127.0.0.1 is reached over plain HTTP. */
export async function containerd(t: Teardown): Promise<Containerd> {
  const home = temporaryDirectory(t, 'ctr')
  const socket = join(home, 'containerd.sock')
  const hostsDirectory = join(home, 'hosts')
  mkdirSync(hostsDirectory)
  writeFileSync(join(home, 'config.toml'), `
version = 2
root = "${join(home, 'root')}"
state = "${join(home, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
`)
  const daemon = start(t, 'containerd', ['--config', join(home, 'config.toml')])
  t.teardown(() => daemon.stop())
  await daemon.line(/containerd successfully booted/)
  const ctr = (...args: string[]): Promise<string> => mustRun('ctr', ['--address', socket, ...args], { deadline: DEADLINE })
  return {
    hosts(namespace, toml) {
      const directory = join(hostsDirectory, namespace)
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, 'hosts.toml'), toml)
    },
    async pull(reference, options = {}) {
      const known = (await ctr('images', 'ls', '--quiet')).split('\n').filter(name => name !== '')
      if (known.length > 0) await ctr('images', 'rm', '--sync', ...known)
      const plain = reference.startsWith('127.0.0.1') ? ['--plain-http'] : []
      const output = await ctr(
        'images', 'pull', '--hosts-dir', hostsDirectory, '--snapshotter', 'native', ...plain, ...userFlag('--user', options), reference,
      )
      return { output, digests: digestsIn(await ctr('images', 'ls', `name==${reference}`)) }
    },
  }
}

export interface DockerOptions {
  /** `registry-mirrors` */
  mirrors?: string[]
}

/** docker with a dockerd of its own, which has no network of containers. */
export async function docker(t: Teardown, options: DockerOptions = {}): Promise<Client> {
  const home = temporaryDirectory(t, 'docker')
  const socket = `unix://${join(home, 'docker.sock')}`
  const data = join(home, 'data')
  writeFileSync(join(home, 'daemon.json'), JSON.stringify({ 'registry-mirrors': options.mirrors ?? [] }))
  // dockerd mounts its data directory over itself; ended roughly it leaves the mount, and the directory can't be removed.
  t.teardown(() => run('umount', [data]))
  const daemon = start(t, 'dockerd', [
    '--config-file', join(home, 'daemon.json'), '--host', socket, '--data-root', data, '--exec-root', join(home, 'exec'),
    '--pidfile', join(home, 'docker.pid'), '--storage-driver', 'vfs', '--bridge', 'none', '--iptables=false', '--ip6tables=false',
    '--insecure-registry', '127.0.0.0/8',
  ])
  t.teardown(() => daemon.stop())
  await daemon.line(/API listen on/, DEADLINE)
  const docker = (...args: string[]): Promise<string> => mustRun('docker', ['--host', socket, '--config', home, ...args], {
    env: { HOME: home }, deadline: DEADLINE,
  })
  return {
    async pull(reference, { credentials } = {}) {
      const known = (await docker('image', 'ls', '--all', '--quiet')).split('\n').filter(id => id !== '')
      if (known.length > 0) await docker('image', 'rm', '--force', ...new Set(known))
      writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: credentials ? { [hostOf(reference)]: { auth: base64(credentials) } } : {} }))
      const output = await docker('pull', reference)
      return { output, digests: digestsIn(await docker('image', 'inspect', '--format', '{{join .RepoDigests " "}}', reference)) }
    },
  }
}

function userFlag(flag: string, { credentials }: PullOptions): string[] {
  return credentials ? [flag, `${credentials.username}:${credentials.password}`] : []
}

function base64({ username, password }: Credentials): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}

function hostOf(reference: string): string {
  return reference.split('/', 1)[0] ?? ''
}

function digestsIn(text: string): string[] {
  return [...new Set(text.match(/sha256:[0-9a-f]{64}/g) ?? [])]
}
