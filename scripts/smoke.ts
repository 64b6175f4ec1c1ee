import { skopeoCopy } from '../test/support/clients.ts'
import { dockerRegistry } from '../test/support/docker-registry.ts'
import { commandLine, startEntrepot, type CommandLine } from '../test/support/entrepot.ts'
import { multiPlatformImage, type Image } from '../test/support/image.ts'
import { mustRun } from '../test/support/processes.ts'
import type { Teardown } from '../test/support/upstream/server.ts'

// The Node that runs the build: the one of `npm run smoke`, not the one of this script.
const [node = process.execPath] = process.argv.slice(2)

const runs: [string, () => CommandLine][] = [
  ['built', () => ({ ...commandLine('built'), command: node })],
  ['unbuilt', () => commandLine('node24')],
  ['unbuilt', () => commandLine('node26')],
  ['unbuilt', () => commandLine('deno')],
]

const image = multiPlatformImage({ busybox: true })
let failed = 0
for (const [how, commandOf] of runs) {
  const began = performance.now()
  try {
    const runtime = commandOf()
    const version = (await mustRun(runtime.command, ['--version'])).split('\n', 1)[0]
    const name = `${version?.startsWith('v') ? `node ${version}` : version}, ${how}`
    await withTeardown(t => pullThrough(t, runtime, image))
    console.log(`ok ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed += 1
    console.log(`not ok ${how}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
console.log(`${runs.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Cold, then with upstream gone; the process ends cleanly. */
async function pullThrough(t: Teardown, runtime: CommandLine, image: Image): Promise<void> {
  const registry = await dockerRegistry(t)
  await registry.push('library/app', image, 'v1')
  const entrepot = await startEntrepot(t, {
    runtime,
    config: { endpoints: { origin: { type: 'docker-registry', url: registry.url } }, projects: { hub: { endpoint: 'origin' } } },
  })
  const pull = async (when: string): Promise<void> => {
    const { digests } = await skopeoCopy(t, `${entrepot.host}/hub/library/app:v1`, { all: true })
    if (digests[0] !== image.digest) throw new Error(`${when}: pulled ${digests[0]} instead of ${image.digest}`)
  }
  await pull('cold')
  await registry.stop()
  await pull('with upstream gone')
  await entrepot.stop()
}

async function withTeardown(body: (t: Teardown) => Promise<void>): Promise<void> {
  const callbacks: (() => unknown)[] = []
  try {
    await body({ teardown: callback => callbacks.push(callback) })
  } finally {
    for (const callback of callbacks.reverse()) await callback()
  }
}
