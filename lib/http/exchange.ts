import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provenance } from '../cache/outcome.ts'

/** One request and its response, with what the log line will say of them. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly isHead: boolean
  readonly facts: Facts
}

export interface Facts {
  kind?: string
  project?: string
  /** `<repository>:<tag>` or `<repository>@<digest>`. */
  reference?: string
  provenance?: Provenance
  /** Of the body, as given to the client's connection. */
  bytes: number
  error?: unknown
}

export function newExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { request, response, isHead: request.method === 'HEAD', facts: { bytes: 0 } }
}
