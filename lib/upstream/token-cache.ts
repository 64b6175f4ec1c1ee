import type { Clock } from '../clock.ts'
import { BoundedMap } from './bounded-map.ts'
import { UpstreamFailure } from './failure.ts'

/** For what, and from whom, a token is asked. */
export interface TokenQuestion {
  /** Whose challenge it answers, and the only origin that the token is sent to. */
  origin: string
  realm: URL
  service: string | undefined
  scope: string | undefined
}

export interface Token {
  value: string
  /** Seconds, counted from when it was asked for. */
  expiresIn: number
}

interface Held {
  value: string
  /** Monotonic milliseconds. */
  until: number
}

// A client may ask for a million repositories: what is forgotten costs one call.
const CAPACITY = 1000
const USED_LIFE = 0.9
/** Milliseconds for which a token server that does not answer is not asked again: its time-out is paid once, not by everyone. */
const SILENCE = 2000

/** Tokens by question: one call for any number of requests, then none until nine tenths of the token's life are over. */
export class TokenCache {
  readonly #fetch: (question: TokenQuestion) => Promise<Token>
  readonly #clock: Clock
  readonly #held = new BoundedMap<string, Held>(CAPACITY)
  readonly #calls = new Map<string, Promise<string>>()
  readonly #failed = new BoundedMap<string, { failure: UpstreamFailure; until: number }>(CAPACITY)

  constructor(fetch: (question: TokenQuestion) => Promise<Token>, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /** @throws UpstreamFailure */
  async get(question: TokenQuestion): Promise<string> {
    const key = keyOf(question)
    const held = this.#held.get(key)
    if (held !== undefined && this.#clock.monotonic() < held.until) return held.value
    const running = this.#calls.get(key)
    if (running !== undefined) return running
    const call = this.#call(key, question).finally(() => this.#calls.delete(key))
    this.#calls.set(key, call)
    return call
  }

  /** Upstream did not want this token any more; a newer one stays. */
  refuse(question: TokenQuestion, token: string): void {
    const key = keyOf(question)
    if (this.#held.get(key)?.value === token) this.#held.delete(key)
  }

  async #call(key: string, question: TokenQuestion): Promise<string> {
    const asked = this.#clock.monotonic()
    const failed = this.#failed.get(question.realm.origin)
    if (failed !== undefined && asked < failed.until) throw failed.failure
    try {
      const { value, expiresIn } = await this.#fetch(question)
      this.#held.set(key, { value, until: asked + expiresIn * 1000 * USED_LIFE })
      return value
    } catch (error) {
      this.#remember(question.realm.origin, error)
      throw error
    }
  }

  #remember(realm: string, error: unknown): void {
    if (!(error instanceof UpstreamFailure)) return
    const silence = silenceAfter(error)
    if (silence > 0) this.#failed.set(realm, { failure: error, until: this.#clock.monotonic() + silence })
  }
}

/** Milliseconds. */
function silenceAfter({ reason, retryAfter }: UpstreamFailure): number {
  if (reason === 'rate-limited') return (retryAfter ?? 0) * 1000
  return reason === 'unreachable' || reason === 'timeout' ? SILENCE : 0
}

function keyOf({ origin, realm, service, scope }: TokenQuestion): string {
  return JSON.stringify([origin, realm.href, service, scope])
}
