import { randomUUID } from 'node:crypto'
import { errorReply, pathOf, queryOf, reply, type Answer, type Layer, type Request } from './exchange.ts'
import { scriptedServer, type ScriptedServer, type ServerOptions, type Teardown } from './server.ts'

export interface Credentials {
  username: string
  password: string
}

export interface TokenServerOptions extends ServerOptions {
  /** Who is known; a wrong password is 401. */
  users?: Credentials[]
  /** Whether those who send no credentials get a token. Default: when there are no users. */
  anonymous?: boolean
  /** Seconds; `null` leaves the field out. Default 300. Expired tokens are refused by the registry. */
  expiresIn?: number | null
  /** Name of the field that has the token; `both` by default. */
  field?: 'token' | 'access_token' | 'both'
  service?: string
  /** Whether a scope is granted to a user. Default: all. Not granted: a token without it. */
  grants?: (scope: string, username: string | undefined) => boolean
}

export interface TokenServer extends ScriptedServer {
  /** For `WWW-Authenticate`. */
  readonly realm: string
  readonly service: string
  /** The tokens handed out so far. */
  readonly calls: number
  /** Every token so far is worth nothing from now on. */
  revoke(): void
  accepts(token: string, scope: string): boolean
}

interface Grant {
  scopes: string[]
  expires: number
}

/** Bearer tokens by GET `/token`, as Docker Hub's `auth.docker.io` does it. Tokens are opaque. */
export async function tokenServer(t: Teardown, options: TokenServerOptions = {}): Promise<TokenServer> {
  const { users = [], expiresIn = 300, field = 'both', service = 'scripted-registry', grants = () => true } = options
  const tokens = new Map<string, Grant>()
  let calls = 0

  const answer: Answer = request => {
    if (pathOf(request) !== '/token') return reply(404)
    if (request.method !== 'GET') return errorReply(405, 'UNSUPPORTED', 'GET only')
    const username = userOf(request, users)
    if (username === null || (username === undefined && !(options.anonymous ?? users.length === 0))) {
      return reply(401, { 'content-type': 'application/json' }, '{"details":"incorrect username or password"}')
    }
    const scopes = queryOf(request).getAll('scope').flatMap(scope => scope.split(' '))
    const token = randomUUID()
    tokens.set(token, { scopes: scopes.filter(scope => grants(scope, username)), expires: Date.now() + (expiresIn ?? 60) * 1000 })
    calls += 1
    return reply(200, { 'content-type': 'application/json' }, JSON.stringify({
      ...(field === 'access_token' ? {} : { token }),
      ...(field === 'token' ? {} : { access_token: token }),
      ...(expiresIn === null ? {} : { expires_in: expiresIn }),
      issued_at: new Date().toISOString(),
    }))
  }

  const server = await scriptedServer(t, answer, options)
  return {
    ...server,
    realm: `${server.url}/token`,
    service,
    get calls() { return calls },
    revoke: () => tokens.clear(),
    accepts: (token, scope) => {
      const grant = tokens.get(token)
      return grant !== undefined && grant.expires > Date.now() && grant.scopes.includes(scope)
    },
  }
}

/** @returns undefined for nobody, null for somebody with a wrong password */
function userOf(request: Request, users: readonly Credentials[]): string | undefined | null {
  const sent = basicOf(request)
  if (sent === undefined) return undefined
  return users.some(user => user.username === sent.username && user.password === sent.password) ? sent.username : null
}

function basicOf(request: Request): Credentials | undefined {
  const [, encoded] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const [username = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':')
  return { username, password: password.join(':') }
}

/** Guard: HTTP Basic, on every request. */
export function requireBasic(...users: Credentials[]): Layer {
  return (request, next) => (userOf(request, users) ? next(request) : unauthorized('Basic realm="scripted registry"'))
}

/** Guard: a token of that server, for the repository in the path. `realm` can be a lie. */
export function requireBearer(tokens: TokenServer, realm = tokens.realm): Layer {
  return (request, next) => {
    const [, repository] = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\/[^/]+$/.exec(pathOf(request)) ?? []
    const scope = repository === undefined ? undefined : `repository:${repository}:pull`
    const [, token] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (token !== undefined && tokens.accepts(token, scope ?? '')) return next(request)
    if (token !== undefined && scope === undefined && request.method === 'GET') return next(request)
    const error = token === undefined ? '' : ',error="invalid_token"'
    const wanted = scope === undefined ? '' : `,scope="${scope}"`
    return unauthorized(`Bearer realm="${realm}",service="${tokens.service}"${wanted}${error}`)
  }
}

function unauthorized(challenge: string): ReturnType<typeof errorReply> {
  return errorReply(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge })
}
