/** A file, a directory (the path ends in `/`) or a symbolic link. Paths up to 100 bytes. */
export interface TarEntry {
  path: string
  body?: Buffer
  link?: string
  mode?: number
}

const BLOCK = 512

/** A ustar archive, the same bytes for the same entries. */
export function tar(entries: TarEntry[]): Buffer {
  const parts = entries.flatMap(entry => {
    const body = entry.body ?? Buffer.alloc(0)
    return [header(entry, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]
  })
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), offset)
  }
  block.write(entry.path, 0, 100)
  octal(entry.mode ?? 0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.fill(' ', 148, 156)
  block.write(entry.link !== undefined ? '2' : entry.path.endsWith('/') ? '5' : '0', 156)
  block.write(entry.link ?? '', 157, 100)
  block.write('ustar\u000000', 257, 'latin1')
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7)
  return block
}
