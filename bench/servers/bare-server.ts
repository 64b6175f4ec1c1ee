import { fileURLToPath } from 'node:url'
import type { Image } from '../../test/support/image.ts'
import type { Teardown } from '../../test/support/upstream/server.ts'
import { startDaemon } from './daemon.ts'
import type { Server } from './server.ts'

/** A server of nothing but Node's own HTTP, that answers everything with this manifest. */
export async function bareServer(t: Teardown, { bytes, mediaType, digest }: Image): Promise<Server> {
  const file = fileURLToPath(new URL('bare.ts', import.meta.url))
  const { pid, url } = await startDaemon(t, {
    name: 'bare',
    command: () => [process.execPath, ...process.execArgv, file, bytes.toString('base64'), mediaType, digest],
    config: () => ({}),
  })
  return { name: 'bare node:http', pid, repository: `${url}/v2/` }
}
