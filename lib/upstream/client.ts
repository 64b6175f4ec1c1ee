import type { Authenticator } from './authenticator.ts'
import { discard } from './body.ts'
import { UpstreamFailure } from './failure.ts'
import { isRedirect, MAX_REDIRECTS, redirectTarget } from './redirect.ts'
import { headerOf, type HttpRequest, type HttpResponse, type Send } from './transport.ts'

export interface Ask {
  method: 'GET' | 'HEAD'
  url: URL
  headers: Record<string, string>
  /** What is asked for. Only a tag's answer is taken on trust; only a blob's redirect is signed for a time. */
  target: 'tag' | 'manifest' | 'blob'
  /** What a token needs to allow at a URL; undefined: what its challenge says. */
  scope(url: URL): string | undefined
}

/** Whatever upstream's last word was, with the URL that said it. */
export interface Answer extends HttpResponse {
  url: URL
}

/** What storage answers to a signed URL that has expired. */
const EXPIRED = new Set([401, 403, 404, 410])

/** Asks through redirects and challenges. */
export class Client {
  readonly #send: Send
  readonly #authenticator: Authenticator
  readonly #registry: URL

  constructor(send: Send, authenticator: Authenticator, registry: URL) {
    this.#send = send
    this.#authenticator = authenticator
    this.#registry = registry
  }

  /** @throws UpstreamFailure where there is no answer, or none may be sought */
  async ask(ask: Ask): Promise<Answer> {
    const answer = await this.#follow(ask)
    if (ask.target !== 'blob' || ask.method !== 'GET' || answer.url === ask.url || !EXPIRED.has(answer.status)) return answer
    discard(answer.body)
    return this.#follow(ask)
  }

  async #follow(ask: Ask): Promise<Answer> {
    let url = ask.url
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await this.#authorized(ask, url)
      if (!isRedirect(response.status)) return { ...response, url }
      discard(response.body)
      const { status, headers } = response
      url = redirectTarget({ from: url, status, location: headerOf(headers, 'location'), registry: this.#registry, verified: ask.target !== 'tag' })
    }
    throw new UpstreamFailure('server-error', `${ask.url.host} redirects more than ${MAX_REDIRECTS} times`)
  }

  /** A 401 is answered once; the second is upstream's last word. */
  async #authorized(ask: Ask, url: URL): Promise<HttpResponse> {
    const scope = ask.scope(url)
    const sent = await this.#authenticator.header(url, scope)
    const response = await this.#send(requestOf(ask, url, sent))
    if (response.status !== 401) return response
    const better = await this.#betterHeader(response, url, scope, sent)
    if (better === undefined) return response
    discard(response.body)
    return this.#send(requestOf(ask, url, better))
  }

  async #betterHeader({ headers, body }: HttpResponse, url: URL, scope: string | undefined, sent: string | undefined): Promise<string | undefined> {
    try {
      return await this.#authenticator.retry(url, scope, headers, sent)
    } catch (error) {
      discard(body)
      throw error
    }
  }
}

/** Built anew for each hop, so that no Authorization crosses to another origin by inheritance; cookies are never sent. */
function requestOf({ method, headers }: Ask, url: URL, authorization: string | undefined): HttpRequest {
  return { method, url, headers: authorization === undefined ? headers : { ...headers, authorization } }
}
