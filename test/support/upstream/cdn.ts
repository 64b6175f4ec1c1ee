import { blobReply, type Contents } from './contents.ts'
import { errorReply, pathOf, queryOf, reply, type Answer, type Layer } from './exchange.ts'
import { scriptedServer, type ScriptedServer, type ServerOptions, type Teardown } from './server.ts'

export interface Cdn extends ScriptedServer {
  /** A signed URL for a blob. */
  sign(digest: string): string
  /** Every URL signed so far answers 403 from now on. */
  expire(): void
}

/** Where blobs really are: refuses any Authorization with 400, as S3 does, and URLs that it did not sign. */
export async function cdn(t: Teardown, blobs: Contents, options: ServerOptions = {}): Promise<Cdn> {
  let epoch = 1
  const answer: Answer = request => {
    if (request.headers.authorization !== undefined) {
      return reply(400, { 'content-type': 'application/xml' }, '<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>')
    }
    if (queryOf(request).get('signature') !== String(epoch)) return reply(403, {}, '<Error><Code>AccessDenied</Code></Error>')
    return blobReply({ get: blobs.blob }, pathOf(request).split('/').at(-1) ?? '', request)
  }
  const server = await scriptedServer(t, answer, options)
  return {
    ...server,
    sign: digest => `${server.url}/blobs/${digest}?signature=${epoch}`,
    expire: () => { epoch += 1 },
  }
}

/** Layer: blobs that exist are answered with a redirect. `location` makes of the signed URL what is sent, e.g. a relative one. */
export function redirectBlobs(to: Cdn, location: (url: string) => string = url => url, status = 307): Layer {
  return async (request, next) => {
    const [, digest] = /\/blobs\/([^/]+)$/.exec(pathOf(request)) ?? []
    const honest = await next(request)
    if (digest === undefined || honest.status >= 400) return honest
    return reply(status, { location: location(to.sign(digest)) })
  }
}

/** Layer: answers 404, or schema1, unless Accept names the manifest's own type; a wildcard does not count, as at Docker Hub. */
export function picky(otherwise: 'schema1' | 'not-found'): Layer {
  return async (request, next) => {
    const honest = await next(request)
    const type = honest.headers['content-type'] ?? ''
    if (!pathOf(request).includes('/manifests/') || honest.status !== 200) return honest
    if ((request.headers.accept ?? '').includes(type)) return honest
    if (otherwise === 'not-found') return errorReply(404, 'MANIFEST_UNKNOWN', `OCI manifest found, but accept header does not support it: ${type}`)
    return reply(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' }, SCHEMA1)
  }
}

const SCHEMA1 = JSON.stringify({ schemaVersion: 1, name: 'library/old', tag: 'latest', architecture: 'amd64', fsLayers: [], history: [], signatures: [] }, null, 3)
