// Makes sure that the programs which the tests run against are there (test/support/peers.json).
// As root on Debian they are installed; elsewhere it says what is missing, and fails where CI=true.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const peers = Object.values(JSON.parse(readFileSync(new URL('../test/support/peers.json', import.meta.url), 'utf8')))

if (missing().length > 0 && mayInstall()) install(packagesOf(missing()))
const left = missing()
if (left.length > 0) {
  console.error(`missing: ${left.map(({ command }) => command).join(', ')}. Tests that need them ${process.env.CI === 'true' ? 'cannot run' : 'are skipped'}.`)
  console.error(`On Debian: apt-get install --no-install-recommends ${packagesOf(left).join(' ')}`)
  if (process.env.CI === 'true') process.exitCode = 1
}

function missing() {
  const directories = `${process.env.PATH}:/usr/sbin:/sbin`.split(delimiter)
  return peers.filter(({ command }) => !directories.some(directory => isExecutable(join(directory, command))))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function packagesOf(list) {
  return [...new Set(list.map(peer => peer.package))]
}

function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

function install(packages) {
  console.log(`installing ${packages.join(' ')}`)
  apt('update') && apt('install', '-y', '--no-install-recommends', ...packages)
}

/** Quiet unless it fails. */
function apt(...args) {
  const { status, stdout, stderr } = spawnSync('apt-get', args, {
    encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000,
    // RUNLEVEL=1: Debian's packages then do not start their services; tests start their own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  })
  if (status !== 0) console.error(`apt-get ${args[0]} failed:\n${stdout}${stderr}`)
  return status === 0
}
