/** `Content-Range: bytes 0-99/1234`, `bytes 0-99/*`. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
export function parseContentRange(header: string | undefined): { first: number; last: number; size?: number } | undefined {
  const [, first, last, size] = /^bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined
  return { first: Number(first), last: Number(last), ...(size === '*' ? {} : { size: Number(size) }) }
}

/** The N of a 416's `Content-Range: bytes *\/N`. */
export function parseUnsatisfiedRange(header: string | undefined): number | undefined {
  const [, size] = /^bytes\s+\*\/(\d{1,15})$/i.exec(header?.trim() ?? '') ?? []
  return size === undefined ? undefined : Number(size)
}

/** A Content-Length that can be believed to be one. */
export function parseLength(header: string | undefined): number | undefined {
  return /^\d{1,15}$/.test(header ?? '') ? Number(header) : undefined
}
