import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './processes.ts'
import { pathOf, queryOf, reply, type Answer } from './upstream/exchange.ts'
import { scriptedServer, type ScriptedServer, type Teardown } from './upstream/server.ts'
import type { Credentials } from './upstream/auth.ts'

export interface JwtTokenServer extends ScriptedServer {
  /** `auth.token` of docker-registry's configuration. */
  readonly registryConfig: { realm: string; service: string; issuer: string; rootcertbundle: string }
  /** A token out of turn, for pushes. */
  issue(repository: string, actions: string[]): string
}

const SERVICE = 'docker-registry'
const ISSUER = 'scripted token server'

/** Signs what docker-registry 2.8 believes: ES256, with the self-signed certificate in `x5c` that is also its root. */
export async function jwtTokenServer(t: Teardown, directory: string, user: Credentials, options: { expiresIn?: number } = {}): Promise<JwtTokenServer> {
  const { expiresIn = 300 } = options
  const keyFile = join(directory, 'token.key')
  const rootcertbundle = join(directory, 'token.crt')
  await mustRun('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=scripted', '-keyout', keyFile, '-out', rootcertbundle])
  const key = createPrivateKey(readFileSync(keyFile))
  const x5c = [new X509Certificate(readFileSync(rootcertbundle)).raw.toString('base64')]

  const token = (access: { type: string; name: string; actions: string[] }[], subject: string): string => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: ISSUER, sub: subject, aud: SERVICE, exp: now + expiresIn, nbf: now - 10, iat: now, jti: randomUUID(), access }
    const signed = `${base64url({ typ: 'JWT', alg: 'ES256', x5c })}.${base64url(claims)}`
    return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  const basic = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
  const answer: Answer = request => {
    if (pathOf(request) !== '/token') return reply(404)
    if (request.headers.authorization !== basic) return reply(401, { 'content-type': 'application/json' }, '{"details":"incorrect username or password"}')
    const access = queryOf(request).getAll('scope').flatMap(scope => scope.split(' ')).map(scope => {
      const [type = '', name = '', actions = ''] = scope.split(':')
      return { type, name, actions: actions.split(',').filter(action => action === 'pull') }
    })
    const body = { token: token(access, user.username), expires_in: expiresIn, issued_at: new Date().toISOString() }
    return reply(200, { 'content-type': 'application/json' }, JSON.stringify(body))
  }

  const server = await scriptedServer(t, answer)
  return {
    ...server,
    registryConfig: { realm: `${server.url}/token`, service: SERVICE, issuer: ISSUER, rootcertbundle },
    issue: (repository, actions) => token([{ type: 'repository', name: repository, actions }], user.username),
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
