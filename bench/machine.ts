import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { mustRun } from '../test/support/processes.ts'

/** What the figures were taken on. */
export interface Machine {
  cores: number
  cpu: string
  memory: string
  kernel: string
  fileSystem: string
  node: string
  dockerRegistry: string
  /** Of one minute, when we began: above 1 somebody else was at work. */
  load: number
}

export async function describeMachine(): Promise<Machine> {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: release(),
    fileSystem: fileSystemOf(tmpdir()),
    node: process.version,
    dockerRegistry: (await mustRun('docker-registry', ['--version'])).trim().split(' ').at(-1) ?? '',
    load: loadavg()[0] ?? NaN,
  }
}

/** The type of the mount that a directory is on. */
function fileSystemOf(directory: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').map(line => line.split(' '))
  const holding = mounts.filter(([, path = '']) => `${directory}/`.startsWith(path.endsWith('/') ? path : `${path}/`))
  return holding.sort(([, a = ''], [, b = '']) => b.length - a.length)[0]?.[2] ?? 'unknown'
}
