import { contents, type Contents } from './upstream/contents.ts'
import { requireBasic, requireBearer, tokenServer, type Credentials, type TokenServer, type TokenServerOptions } from './upstream/auth.ts'
import { cdn, picky, redirectBlobs, type Cdn } from './upstream/cdn.ts'
import { errorReply, pathOf, type Layer } from './upstream/exchange.ts'
import { scriptedServer, type ScriptedServer, type ServerOptions, type Teardown } from './upstream/server.ts'

export * from './upstream/faults.ts'
export { errorReply, reply, type Answer, type Layer, type Reply, type Request } from './upstream/exchange.ts'
export { notFound, scriptedServer, summary, type Rule, type ScriptedServer, type Seen } from './upstream/server.ts'
export { requireBasic, requireBearer, tokenServer, type Credentials, type TokenServer, type TokenServerOptions } from './upstream/auth.ts'
export { cdn, picky, redirectBlobs, type Cdn } from './upstream/cdn.ts'
export type { Contents } from './upstream/contents.ts'

/** A registry that is honest until it is told otherwise: `upstream.on('GET', /blobs/).once(cut({ after: 0.3 }))`. */
export type ScriptedUpstream = ScriptedServer & Omit<Contents, 'blob' | 'manifest'>

export interface UpstreamOptions extends ServerOptions {
  /** Demands Basic. */
  basic?: Credentials
}

export async function scriptedUpstream(t: Teardown, options: UpstreamOptions = {}): Promise<ScriptedUpstream> {
  const held = contents()
  const server = await scriptedServer(t, held.answer, options)
  if (options.basic) server.guard(requireBasic(options.basic))
  return { ...server, ...held }
}

/** A registry with blobs on another host, as all big ones have them. */
export async function scriptedUpstreamWithCdn(t: Teardown, options: UpstreamOptions = {}): Promise<ScriptedUpstream & { cdn: Cdn }> {
  const held = contents()
  const server = await scriptedServer(t, held.answer, options)
  const store = await cdn(t, held, options.tls ? { tls: options.tls } : {})
  if (options.basic) server.guard(requireBasic(options.basic))
  server.use(redirectBlobs(store))
  return { ...server, ...held, cdn: store }
}

/** A registry with a token server on another port. */
export async function scriptedUpstreamWithTokens(
  t: Teardown, options: ServerOptions & { tokens?: TokenServerOptions } = {},
): Promise<ScriptedUpstream & { tokens: TokenServer }> {
  const held = contents()
  const server = await scriptedServer(t, held.answer, options)
  const tokens = await tokenServer(t, { ...(options.tls ? { tls: options.tls } : {}), ...options.tokens })
  server.guard(requireBearer(tokens))
  return { ...server, ...held, tokens }
}

export interface DockerHub extends ScriptedUpstream {
  tokens: TokenServer
  cdn: Cdn
  /** Pulls left: every manifest GET takes one, HEADs and blobs none; at 0, 429 as Docker Hub words it. */
  pulls: number
}

/**
 * Docker Hub as it behaves: anonymous tokens from another port, official images under `library/` only, blobs behind a
 * 307 to a CDN that refuses Authorization, pulls counted in ratelimit headers, schema1 when Accept is wrong.
 */
export async function dockerHub(t: Teardown, options: { tokens?: TokenServerOptions; pulls?: number } = {}): Promise<DockerHub> {
  const held = contents()
  const server = await scriptedServer(t, held.answer)
  const store = await cdn(t, held)
  const tokens = await tokenServer(t, {
    service: 'registry.docker.io', anonymous: true, grants: scope => /^repository:[^:/]+\/[^:]+:pull$/.test(scope), ...options.tokens,
  })
  const hub: DockerHub = { ...server, ...held, tokens, cdn: store, pulls: options.pulls ?? 100 }
  server.guard(requireBearer(tokens))
  server.use(rateLimit(hub))
  server.use(picky('schema1'))
  server.use(redirectBlobs(store))
  return hub
}

const WINDOW = 21_600

function rateLimit(hub: DockerHub): Layer {
  return async (request, next) => {
    if (!pathOf(request).includes('/manifests/')) return next(request)
    const counted = request.method === 'GET'
    const headers = (): Record<string, string> => ({
      'ratelimit-limit': `100;w=${WINDOW}`, 'ratelimit-remaining': `${hub.pulls};w=${WINDOW}`, 'docker-ratelimit-source': '192.0.2.1',
    })
    if (counted && hub.pulls <= 0) {
      const message = 'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit'
      return errorReply(429, 'TOOMANYREQUESTS', message, headers())
    }
    if (counted) hub.pulls -= 1
    const honest = await next(request)
    return { ...honest, headers: { ...headers(), ...honest.headers } }
  }
}
