import type { IncomingMessage, ServerResponse } from 'node:http'
import { admit, refusePush, type Projects, type RepositoryRoute } from '../access.ts'
import type { Blobs } from '../cache/blobs.ts'
import { RememberedFailure } from '../cache/negatives.ts'
import type { Provenance } from '../cache/outcome.ts'
import type { Target } from '../cache/project.ts'
import type { Resolver } from '../cache/resolve.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { OciError } from '../oci/errors.ts'
import { parseRoute, suffixOf, type Route } from '../oci/route.ts'
import { UpstreamFailure } from '../upstream/failure.ts'
import { newExchange, type Exchange } from './exchange.ts'
import { clientError } from './failures.ts'
import { logRequest } from './request-log.ts'
import { sendBlob, sendBlobFacts, sendError, sendManifest, sendPing } from './respond.ts'

export interface HandlerDeps {
  projects: Projects
  resolver: Resolver
  blobs: Blobs
  clock: Clock
  log: Log
}

/** Connect-style: `next` is called for what is not the registry API of a project here. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

export function createMiddleware(deps: HandlerDeps): Middleware {
  return (request, response, next) => {
    const exchange = newExchange(request, response)
    const route = routeOf(exchange, deps)
    if (route === undefined) return next()
    logRequest(exchange, deps)
    handle(exchange, route, deps).catch((error: unknown) => {
      // The way out failed itself: that costs one request, never the process.
      deps.log.error({ err: error }, 'request could not be answered')
      response.destroy()
    })
  }
}

/** route → access → resolve → open → respond */
async function handle(exchange: Exchange, route: Route | OciError, deps: HandlerDeps): Promise<void> {
  try {
    if (route instanceof OciError) throw route
    if (route.kind === 'ping') return ping(exchange)
    if (route.kind === 'catalog') throw notAvailableYet('the catalog is')
    const target = admit(exchange.request.method ?? '', route, deps.projects)
    describe(exchange, route, target)
    await answer(exchange, route, target, deps)
  } catch (error) {
    fail(exchange, error, route)
  }
}

async function answer(exchange: Exchange, route: RepositoryRoute, target: Target, { resolver, blobs }: HandlerDeps): Promise<void> {
  switch (route.kind) {
    case 'manifest': return sendManifest(exchange, noted(exchange, await resolver.resolve(target, route.reference)))
    case 'blob': return exchange.isHead ? blobFacts(exchange, route, target, blobs) : blob(exchange, route, target, blobs)
    case 'tags': throw notAvailableYet('tag lists are')
    case 'referrers': throw notAvailableYet('referrers are')
    case 'upload': throw refusePush('a project')
  }
}

async function blobFacts(exchange: Exchange, { digest }: RepositoryRoute & { kind: 'blob' }, target: Target, blobs: Blobs): Promise<void> {
  sendBlobFacts(exchange, digest, noted(exchange, await blobs.head(target, digest)))
}

async function blob(exchange: Exchange, { digest }: RepositoryRoute & { kind: 'blob' }, target: Target, blobs: Blobs): Promise<void> {
  const opened = noted(exchange, await blobs.open(target, digest))
  try {
    await sendBlob(exchange, digest, opened)
  } finally {
    await opened.close()
  }
}

function ping(exchange: Exchange): void {
  const { method = '' } = exchange.request
  if (method !== 'GET' && method !== 'HEAD') throw new OciError('UNSUPPORTED', `${method} is not supported here`, { headers: { allow: 'GET, HEAD' } })
  sendPing(exchange)
}

/** @returns the error of a target that is refused; undefined for what is not ours */
function routeOf({ request }: Exchange, { projects }: HandlerDeps): Route | OciError | undefined {
  try {
    return parseRoute(request.url ?? '', name => projects.has(name))
  } catch (error) {
    if (error instanceof OciError) return error
    throw error
  }
}

function describe({ facts }: Exchange, route: RepositoryRoute, { project, repository }: Target): void {
  facts.kind = route.kind
  facts.project = project.name
  facts.reference = repository + suffixOf(route)
}

function noted<T extends Provenance>({ facts }: Exchange, provenance: T): T {
  facts.provenance = provenance
  return provenance
}

function fail(exchange: Exchange, error: unknown, route: Route | OciError): void {
  const { facts, response } = exchange
  // A client that left is no failure of ours, and one that broke in the middle is noted already.
  if (response.destroyed && !response.writableFinished && facts.provenance) return
  facts.error = error
  if (error instanceof UpstreamFailure) facts.provenance ??= failedProvenance(error)
  const isBlob = !(route instanceof OciError) && route.kind === 'blob'
  sendError(exchange, clientError(error, isBlob ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN'))
}

function failedProvenance(failure: UpstreamFailure): Provenance {
  if (failure instanceof RememberedFailure) return { outcome: 'hit' }
  return { outcome: 'miss', ...(failure.status === undefined ? {} : { upstreamStatus: failure.status }) }
}

function notAvailableYet(what: string): OciError {
  return new OciError('UNSUPPORTED', `${what} not available yet in this version of entrepot`, { status: 404 })
}
