import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds of no work at all after which a process counts as done, and for how long that is waited for. */
const QUIET = 150
const PATIENCE = 30_000

const TICK = 1 / Number(execFileSync('getconf', ['CLK_TCK']).toString())

/** Seconds of CPU, user and system, of all threads that a process has or had; in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  // The command's name, in brackets, may hold anything: proc_pid_stat(5). What follows it begins with field 3.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

/** Bytes, the most that was resident since the process began, or the last `forgetPeak`. */
export function peakMemory(pid: number): number {
  const [, kib = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

/** @returns whether the kernel let us; processes are fresh for each scenario, so that it matters little */
export function forgetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
    return true
  } catch {
    return false
  }
}

/** What a server still does when its client has gone, it does for that client: writing, hashing, fetching once more. */
export async function settled(pid: number): Promise<void> {
  const until = performance.now() + PATIENCE
  for (let last = cpuSeconds(pid); performance.now() < until;) {
    await sleep(QUIET)
    const now = cpuSeconds(pid)
    if (now - last < TICK / 2) return
    last = now
  }
}
