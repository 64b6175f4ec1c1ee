import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Test } from 'tap'
import { cleanEnvironment } from './processes.ts'

/** Programs that tests run against, other than what npm installs. `scripts/install-peers.mjs` installs them from the same list. */
export type Peer =
  | 'docker-registry' | 'skopeo' | 'podman' | 'containerd' | 'ctr' | 'dockerd' | 'docker' | 'redis-server' | 'busybox' | 'htpasswd' | 'openssl'

const PEERS = JSON.parse(readFileSync(new URL('peers.json', import.meta.url), 'utf8')) as Record<Peer, { command: string; package: string }>

/** `if (!needs(t, 'skopeo', 'docker-registry')) return`: without them the test is skipped, saying what to install; with CI=true it fails. */
export function needs(t: Test, ...peers: Peer[]): boolean {
  const missing = peers.filter(peer => !installed(PEERS[peer].command))
  if (missing.length === 0) return true
  const packages = [...new Set(missing.map(peer => PEERS[peer].package))]
  const reason = `needs ${missing.join(', ')}: apt-get install --no-install-recommends ${packages.join(' ')}`
  if (process.env['CI'] === 'true') t.fail(reason)
  else t.plan(0, reason)
  return false
}

/** `if (!needsRoot(t)) return`: daemons and mounts are for root only. */
export function needsRoot(t: Test): boolean {
  if (process.getuid?.() === 0) return true
  if (process.env['CI'] === 'true') t.fail('needs root')
  else t.plan(0, 'needs root')
  return false
}

function installed(command: string): boolean {
  return (cleanEnvironment()['PATH'] ?? '').split(delimiter).some(directory => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
