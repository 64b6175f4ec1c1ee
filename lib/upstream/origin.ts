import { discard } from './body.ts'
import { UpstreamFailure } from './failure.ts'
import type { Gate } from './gate.ts'
import { rateLimitFailure, type Chance } from './status.ts'
import { headerOf, type Send } from './transport.ts'

/**
 * Tells the gate what the endpoint's own origin does: not getting through, and 429. What CDNs and token servers elsewhere
 * do is between them and the one request. A 429 is everybody's last word, and thrown here.
 */
export function guardedSend(send: Send, origin: string, gate: Gate, chance: Chance): Send {
  return async request => {
    const own = request.url.origin === origin
    const response = await send(request).catch((error: unknown) => {
      if (own && error instanceof UpstreamFailure && error.reason !== 'server-error') gate.broken(error)
      throw error
    })
    if (response.status !== 429) return response
    discard(response.body)
    const failure = rateLimitFailure(request.url.host, headerOf(response.headers, 'retry-after'), chance)
    if (own) gate.limited(failure)
    throw failure
  }
}

/** Whether a registry answers at all, were it only to say who are you. */
export async function ping(send: Send, base: string): Promise<boolean> {
  try {
    const { status, body } = await send({ method: 'GET', url: new URL(`${base}/v2/`), headers: {}, fresh: true })
    discard(body)
    return status < 500
  } catch {
    return false
  }
}
