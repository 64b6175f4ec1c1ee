import { digestOf, type Digest } from '../../lib/oci/digest.ts'
import { randomContent } from '../../test/support/image.ts'
import { pushBlob } from '../../test/support/push.ts'
import type { Teardown } from '../../test/support/upstream/server.ts'
import { dockerRegistry } from './caches.ts'
import { REPOSITORY, type Server } from './server.ts'

/** A real registry, which both caches pull from: docker-registry knows no other upstream than one that speaks all of its API. */
export interface Upstream extends Server {
  /** `http://127.0.0.1:PORT` */
  url: string
  /** Puts a new random blob there. */
  blob(size: number): Promise<Digest>
}

export async function startUpstream(t: Teardown): Promise<Upstream> {
  const server = await dockerRegistry(t)
  const url = new URL(server.repository).origin
  return {
    ...server,
    name: 'upstream',
    url,
    async blob(size) {
      const bytes = randomContent(size)
      const digest = digestOf(bytes)
      await pushBlob({ url }, REPOSITORY, digest, bytes)
      return digest
    },
  }
}
