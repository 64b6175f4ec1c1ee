/** A place in the file as JSON Pointer (RFC 6901), which is ajv's way to say it; '' is the whole. */
export type Pointer = string

export function below(parent: Pointer, key: string | number): Pointer {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function parentOf(pointer: Pointer): Pointer {
  return pointer.slice(0, Math.max(pointer.lastIndexOf('/'), 0))
}

export function isWithin(pointer: Pointer, ancestor: Pointer): boolean {
  return pointer === ancestor || pointer.startsWith(`${ancestor}/`)
}

const LONGEST_KEY = 60

/** As people write it: `endpoints.hub.timeouts`, `projects["a.b"].serveStaleOn[0]`. */
export function readable(pointer: Pointer): string {
  const parts = pointer.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts.map(readableKey).join('').replace(/^\./, '')
}

function readableKey(key: string): string {
  if (/^\d+$/.test(key)) return `[${key}]`
  if (key.length <= LONGEST_KEY && /^[\w$-]+$/.test(key)) return `.${key}`
  // After a colon may stand a secret, where `{ password:secret }` lacks a blank.
  return `[${quoted(key.replace(/:.*/s, ':…'))}]`
}

/** For messages: short, on one line, harmless on a terminal. */
export function quoted(text: string): string {
  const short = text.length > LONGEST_KEY ? `${text.slice(0, LONGEST_KEY)}…` : text
  return JSON.stringify(short).replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
