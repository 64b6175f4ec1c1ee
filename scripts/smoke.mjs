// Starts entrepot on every runtime it promises to run on, and pulls a real image through it: scripts/smoke.ts.
// That needs types stripped, which this Node may be too old for: so it runs on one of the runtimes itself.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = relative => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const node24 = path('test/runtimes/node_modules/node24/bin/node')

if (!existsSync(node24)) run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', path('test/runtimes')])
run(node24, [path('scripts/smoke.ts'), process.execPath])

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: 600_000 })
  if (status === 0) return
  if (error) console.error(String(error))
  process.exit(status ?? 1)
}
