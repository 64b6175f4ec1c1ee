import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Teardown } from './upstream/server.ts'

export interface StartOptions {
  env?: Record<string, string>
  cwd?: string
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process that we started: ended by its own id, at the end of the test at the latest. */
export interface Running {
  readonly pid: number
  /** stdout and stderr so far, in lines. */
  readonly lines: readonly string[]
  readonly running: boolean
  readonly exited: Promise<Exit>
  /** Resolves with the first line that matches, past or future. @throws with all output when it exits before, or after `deadline` ms (20 s) */
  line(pattern: RegExp, deadline?: number): Promise<RegExpExecArray>
  /** Sends the signal, waits, and after `deadline` ms (10 s) kills it and throws. */
  stop(signal?: NodeJS.Signals, deadline?: number): Promise<Exit>
  kill(): Promise<Exit>
}

/** What a test's processes get of the environment: no proxies, no npm, no tap. */
export function cleanEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/tmp', LANG = 'C.UTF-8' } = process.env
  return { PATH: `${PATH}:/usr/sbin:/sbin`, HOME, LANG, ...extra }
}

// The second net: teardown does not run when the test's own process is killed, by its runner's timeout for one.
// setpriv has the kernel kill ours with it, and is replaced by the command, so that the pid is the command's.
const SETPRIV = '/usr/bin/setpriv'
const GUARD = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : []

export function start(t: Teardown, command: string, args: string[], options: StartOptions = {}): Running {
  const [file = '', ...rest] = [...GUARD, command, ...args]
  const child = spawn(file, rest, { env: cleanEnvironment(options.env), cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const watchers = new Set<() => void>()
  const exited = new Promise<Exit>(resolve => {
    child.on('error', error => {
      lines.push(String(error))
      resolve({ code: null, signal: null })
    })
    child.on('close', (code, signal) => resolve({ code, signal }))
    // A grandchild may hold the pipes open.
    child.on('exit', (code, signal) => { setTimeout(() => resolve({ code, signal }), 500).unref() })
  })
  for (const stream of [child.stdout, child.stderr]) {
    eachLine(stream, line => {
      lines.push(line)
      for (const look of watchers) look()
    })
  }

  const line: Running['line'] = (pattern, deadline = 20_000) => new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      watchers.delete(look)
      act()
    }
    const fail = (why: string): void => settle(() => reject(new Error(`${command}: ${why} ${String(pattern)}:\n${lines.join('\n')}`)))
    const timer = setTimeout(() => fail(`within ${deadline} ms no line matched`), deadline)
    const look = (): void => {
      const found = lines.map(text => pattern.exec(text)).find(match => match !== null)
      if (found) settle(() => resolve(found))
    }
    watchers.add(look)
    look()
    void exited.then(({ code, signal }) => fail(`exited with ${code ?? signal} before a line matched`))
  })

  const kill = async (): Promise<Exit> => {
    if (isRunning(child)) child.kill('SIGKILL')
    return exited
  }
  const stop: Running['stop'] = async (signal = 'SIGTERM', deadline = 10_000) => {
    if (!isRunning(child)) return exited
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), deadline)
    const exit = await exited
    clearTimeout(timer)
    if (exit.signal === 'SIGKILL' && signal !== 'SIGKILL') {
      throw new Error(`${command} did not end within ${deadline} ms of ${signal}:\n${lines.join('\n')}`)
    }
    return exit
  }

  t.teardown(kill)
  return { pid: child.pid ?? 0, lines, get running() { return isRunning(child) }, exited, line, stop, kill }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    parts.forEach(take)
  })
  stream.on('end', () => { if (rest !== '') take(rest) })
}

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a command to its end, and kills it after `deadline` ms (60 s). */
export function run(command: string, args: string[], options: StartOptions & { deadline?: number } = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: cleanEnvironment(options.env), cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.deadline ?? 60_000, killSignal: 'SIGKILL',
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => { output.stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { output.stderr += text })
    child.on('error', reject)
    child.on('close', code => resolve({ code, ...output }))
  })
}

/** @throws with the command's stderr unless it exits with 0. @returns its stdout */
export async function mustRun(command: string, args: string[], options: StartOptions & { deadline?: number } = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code ?? 'by signal'}\n${stdout}${stderr}`)
  return stdout
}
