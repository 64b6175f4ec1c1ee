import type { Clock } from '../clock.ts'
import type { EndpointConfig } from '../config/config.ts'
import type { Log } from '../log.ts'
import { BoundedMap } from './bounded-map.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import { UpstreamFailure } from './failure.ts'
import { judgeRealm } from './realm.ts'
import { TokenCache, type Token, type TokenQuestion } from './token-cache.ts'
import { basic, requestToken, type Credentials } from './token-request.ts'
import type { HttpHeaders, Send } from './transport.ts'

export interface AuthenticatorDeps {
  endpoint: EndpointConfig
  /** The endpoint's name, for the log. */
  name: string
  clock: Clock
  log: Log
  send: Send
}

/** What an origin taught us to answer before it asks. */
type Lesson = { scheme: 'basic' } | { scheme: 'bearer'; realm: URL; service: string | undefined; scope: string | undefined }

// Redirects lead to few hosts with challenges of their own; a hostile registry could name any number.
const ORIGINS = 100
/** Milliseconds between two complaints about the credentials: a broken password is tried by every pull. */
const QUIET = 60_000

/**
 * Who we are, to whom. The endpoint's credentials go to its own origin, and to a token server that the realm policy
 * allows; every other origin is met anonymously, and gets tokens made for it alone.
 */
export class Authenticator {
  readonly #deps: AuthenticatorDeps
  readonly #origin: string
  readonly #lessons = new BoundedMap<string, Lesson>(ORIGINS)
  readonly #refusedRealms = new BoundedMap<string, true>(ORIGINS)
  readonly #tokens: TokenCache
  #quietUntil = -Infinity

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps
    this.#origin = new URL(deps.endpoint.url).origin
    this.#tokens = new TokenCache(question => this.#requestToken(question), deps.clock)
  }

  /** What to send at once, as earlier challenges taught. @throws UpstreamFailure where a token is needed and not given */
  async header(url: URL, scope: string | undefined): Promise<string | undefined> {
    const lesson = this.#lessons.get(url.origin)
    return lesson && this.#answer(url.origin, lesson, scope)
  }

  /**
   * What to send after a 401.
   * @param refused what was sent before
   * @returns undefined where there is nothing better to send
   * @throws UpstreamFailure denied for a challenge that must not, or cannot, be answered
   */
  async retry(url: URL, scope: string | undefined, headers: HttpHeaders, refused: string | undefined): Promise<string | undefined> {
    const challenges = parseChallenges(headers['www-authenticate'])
    const lesson = this.#learn(url, challenges)
    if (lesson === undefined) return undefined
    this.#lessons.set(url.origin, lesson)
    if (lesson.scheme === 'bearer' && refused?.startsWith('Bearer ')) {
      this.#tokens.refuse(questionOf(url.origin, lesson, scope), refused.slice('Bearer '.length))
    }
    const header = await this.#answer(url.origin, lesson, scope)
    return header === refused ? undefined : header
  }

  /** Upstream's last word to `origin`'s request was no: says so in the log where that is about the endpoint's credentials. */
  denied(origin: string, failure: UpstreamFailure): void {
    const now = this.#deps.clock.monotonic()
    if (this.#credentialsFor(origin) === undefined || now < this.#quietUntil) return
    this.#quietUntil = now + QUIET
    this.#deps.log.warn({ endpoint: this.#deps.name, status: failure.status }, `the endpoint's credentials are refused, or allow too little: ${failure.message}`)
  }

  async #requestToken(question: TokenQuestion): Promise<Token> {
    try {
      return await requestToken(this.#deps.send, question, this.#credentialsFor(question.origin))
    } catch (error) {
      if (error instanceof UpstreamFailure && error.reason === 'denied') this.denied(question.origin, error)
      throw error
    }
  }

  async #answer(origin: string, lesson: Lesson, scope: string | undefined): Promise<string | undefined> {
    if (lesson.scheme === 'bearer') return `Bearer ${await this.#tokens.get(questionOf(origin, lesson, scope))}`
    const credentials = this.#credentialsFor(origin)
    return credentials && basic(credentials)
  }

  #credentialsFor(origin: string): Credentials | undefined {
    return origin === this.#origin ? this.#deps.endpoint.credentials : undefined
  }

  /** Bearer before Basic: a token is worth less to a thief than the password. */
  #learn(url: URL, challenges: readonly Challenge[]): Lesson | undefined {
    const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.has('realm'))
    if (bearer !== undefined) return this.#judge(url, bearer)
    if (challenges.some(({ scheme }) => scheme === 'basic')) return this.#credentialsFor(url.origin) && { scheme: 'basic' }
    if (challenges.length === 0) return undefined
    const schemes = challenges.map(({ scheme }) => scheme.slice(0, 20)).slice(0, 3).join(', ')
    throw new UpstreamFailure('denied', `${url.host} asks for authentication by ${schemes}: entrepot knows Basic and Bearer`, { status: 401 })
  }

  #judge(registry: URL, { params }: Challenge): Lesson {
    const verdict = judgeRealm(params.get('realm') ?? '', {
      registry,
      withCredentials: this.#credentialsFor(registry.origin) !== undefined,
      trustedRealms: this.#deps.endpoint.trustedRealms,
    })
    if (verdict.allowed) return { scheme: 'bearer', realm: verdict.url, service: params.get('service'), scope: params.get('scope') }
    const message = `${registry.host} names a token server that is refused: ${verdict.host} ${verdict.why}`
    this.#warnOnce(verdict.host, message)
    throw new UpstreamFailure('denied', message, { status: 401 })
  }

  #warnOnce(realm: string, message: string): void {
    if (this.#refusedRealms.get(realm) !== undefined) return
    this.#refusedRealms.set(realm, true)
    this.#deps.log.warn({ endpoint: this.#deps.name, realm }, message)
  }
}

/** The scope that we built, and the challenge's only where the URL tells none. */
function questionOf(origin: string, lesson: Extract<Lesson, { scheme: 'bearer' }>, scope: string | undefined): TokenQuestion {
  return { origin, realm: lesson.realm, service: lesson.service, scope: scope ?? lesson.scope }
}
