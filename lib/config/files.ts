import { createReadStream } from 'node:fs'

/** A file that cannot be used. The message goes on after the file's name: `is not there`. */
export class FileError extends Error {
  override readonly name = 'FileError'
  /** The file is not there, or may not be read: elsewhere, or for somebody else, it may be. */
  readonly missing: boolean

  constructor(message: string, options: { missing: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.missing = options.missing
  }
}

const MEBIBYTE = 2 ** 20

/** Configuration, secrets and certificates: UTF-8 text of at most 1 MiB. @throws FileError */
export async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file)
  if (bytes.length > MEBIBYTE) throw new FileError('is larger than 1 MiB', { missing: false })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FileError('is not text in UTF-8', { missing: false, cause })
  }
}

/** Stops after one byte too many: a pipe or a device tells no size beforehand. */
async function readBytes(file: string): Promise<Buffer> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of createReadStream(file, { end: MEBIBYTE })) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
    throw new FileError(reason ?? `cannot be read (${code})`, { missing: code !== 'EISDIR', cause })
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  ENAMETOOLONG: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a directory, not a file',
}
