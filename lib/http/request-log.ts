import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Exchange } from './exchange.ts'

/** One line a request, when its response is over: never headers, queries or URLs, which carry secrets and signatures. */
export function logRequest(exchange: Exchange, { clock, log }: { clock: Clock; log: Log }): void {
  const started = clock.monotonic()
  exchange.response.once('close', () => {
    const { request, response, facts } = exchange
    const line = {
      method: request.method,
      kind: facts.kind,
      project: facts.project,
      reference: facts.reference,
      status: response.headersSent ? response.statusCode : 0,
      outcome: facts.provenance?.outcome,
      collapsed: facts.provenance?.collapsed || undefined,
      upstreamStatus: facts.provenance?.upstreamStatus,
      bytes: facts.bytes,
      durationMs: Math.round(clock.monotonic() - started),
      aborted: !response.writableFinished || undefined,
      client: request.socket.remoteAddress,
      reason: facts.error instanceof Error ? facts.error.message : undefined,
    }
    // A refusal is the client's affair; an error behind any other status is ours, a body that broke behind a 200 too.
    const isRefusal = response.statusCode >= 400 && response.statusCode < 500
    const level = facts.error !== undefined && !isRefusal ? 'error' : 'info'
    log[level](facts.provenance?.warning === undefined ? line : { ...line, warning: facts.provenance.warning }, 'request')
  })
}
