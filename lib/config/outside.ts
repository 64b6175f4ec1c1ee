import { resolve } from 'node:path'
import { FileError, readText } from './files.ts'
import type { OutsideValue } from './keywords.ts'
import { quoted } from './pointer.ts'
import type { OutsideKind } from './schema/node.ts'

export interface OutsideOptions {
  /** What relative paths are relative to. */
  directory: string
  env: Record<string, string | undefined>
}

/** What is wrong with a value outside of the file. */
export interface OutsideMistake {
  message: string
  /** It may well be right where entrepot serves: a secret that this machine does not have. */
  excusable: boolean
}

/** Puts what is read in the value's place, or nothing where it cannot be read. */
export async function readOutside(value: OutsideValue, options: OutsideOptions): Promise<OutsideMistake | undefined> {
  const { kind, source } = value
  const text = 'env' in source ? options.env[source.env] : await readOr(resolve(options.directory, source.file))
  const mistake = text instanceof FileError ? fileMistake(text, kind, source) : contentMistake(text, kind, source)
  const content = typeof text === 'string' && mistake === undefined ? text : undefined
  value.put(kind === 'secret' ? content && withoutNewline(content) : content)
  return mistake
}

async function readOr(file: string): Promise<string | FileError> {
  try {
    return await readText(file)
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
}

function fileMistake(error: FileError, kind: OutsideKind, source: OutsideValue['source']): OutsideMistake {
  return { message: `${nameOf(source)} ${error.message}`, excusable: error.missing && kind !== 'certificate' }
}

function contentMistake(text: string | undefined, kind: OutsideKind, source: OutsideValue['source']): OutsideMistake | undefined {
  const name = nameOf(source)
  if (text === undefined) return { message: `${name} is not set`, excusable: true }
  if (kind === 'secret') return withoutNewline(text) === '' ? { message: `${name} is empty, which is no secret`, excusable: 'env' in source } : undefined
  const message = PEM_MISTAKES[kind](text)
  return message === undefined ? undefined : { message: `${name} ${message}`, excusable: false }
}

const PEM_MISTAKES: Record<Exclude<OutsideKind, 'secret'>, (text: string) => string | undefined> = {
  certificate(text) {
    return hasBlock(text, 'CERTIFICATE') ? undefined : 'has no certificate in it; expected PEM, "-----BEGIN CERTIFICATE-----"'
  },
  privateKey(text) {
    const encrypted = hasBlock(text, 'ENCRYPTED PRIVATE KEY') || /^Proc-Type: 4,ENCRYPTED/m.test(text)
    if (encrypted) return 'is a private key with a passphrase; write one without'
    return hasBlock(text, '(?:[A-Z]+ )?PRIVATE KEY') ? undefined : 'has no private key in it; expected PEM, "-----BEGIN PRIVATE KEY-----"'
  },
}

function hasBlock(text: string, label: string): boolean {
  return new RegExp(`^-----BEGIN ${label}-----\\s`, 'm').test(text) && new RegExp(`^-----END ${label}-----`, 'm').test(text)
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function nameOf(source: OutsideValue['source']): string {
  return 'env' in source ? `environment variable ${quoted(source.env)}` : `file ${quoted(source.file)}`
}
