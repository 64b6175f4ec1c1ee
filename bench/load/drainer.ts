import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from '../../test/support/processes.ts'
import type { Teardown } from '../../test/support/upstream/server.ts'
import type { Drained, DrainJob, DrainReply } from './drain.ts'

/** Clients that read bodies and throw them away. One job at a time. @throws where one of them does not get its 200, whole */
export type Drainer = (job: DrainJob) => Promise<Drained>

/** Milliseconds for any one job. */
const DEADLINE = 120_000

/** Starts the clients' process; each round then finds it there, so that no start of Node is in the figures. */
export function startDrainer(t: Teardown): Drainer {
  const child = fork(fileURLToPath(new URL('drain.ts', import.meta.url)), { env: cleanEnvironment() })
  t.teardown(() => child.kill('SIGKILL'))
  return job => new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      child.off('message', answered).off('exit', gone)
      act()
    }
    const answered = (reply: DrainReply): void => settle(() => ('drained' in reply ? resolve(reply.drained) : reject(new Error(reply.error))))
    const gone = (): void => settle(() => reject(new Error('the process of the clients ended')))
    const timer = setTimeout(() => settle(() => reject(new Error(`GET ${job.url}: not done within ${DEADLINE} ms`))), DEADLINE)
    child.on('message', answered).on('exit', gone)
    child.send(job)
  })
}
