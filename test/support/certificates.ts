import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './processes.ts'
import { temporaryDirectory } from './temporary.ts'
import type { Teardown } from './upstream/server.ts'

/** PEM, and where it lies. */
export interface Pem {
  text: string
  path: string
}

export interface KeyPair {
  key: Pem
  cert: Pem
}

export interface Certificates {
  ca: Pem
  /** For 127.0.0.1 and localhost. */
  server: KeyPair
  /** What a client shows; signed by the same CA. */
  client: KeyPair
}

/** A CA of the test's own. `scriptedUpstream(t, { tls: { key: server.key.text, cert: server.cert.text } })` */
export async function certificates(t: Teardown): Promise<Certificates> {
  const directory = temporaryDirectory(t, 'tls')
  const ca = pair(directory, 'ca')
  await openssl('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=entrepot test CA', '-keyout', ca.key, '-out', ca.cert)
  const signed = async (name: string, extension: string): Promise<KeyPair> => {
    const { key, cert } = pair(directory, name)
    const [request, extensions] = [join(directory, `${name}.csr`), join(directory, `${name}.ext`)]
    writeFileSync(extensions, extension)
    await openssl('req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request)
    await openssl('x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', cert)
    return { key: pem(key), cert: pem(cert) }
  }
  return {
    ca: pem(ca.cert),
    server: await signed('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n'),
    client: await signed('client', 'extendedKeyUsage=clientAuth\n'),
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(...args: string[]): Promise<string> {
  return mustRun('openssl', args)
}

function pair(directory: string, name: string): { key: string; cert: string } {
  return { key: join(directory, `${name}.key`), cert: join(directory, `${name}.crt`) }
}

function pem(path: string): Pem {
  return { path, text: readFileSync(path, 'utf8') }
}
