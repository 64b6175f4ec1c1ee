/** One way in which a server wants to be authenticated to. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string
  /** By lower-case name; of a name given twice the first. */
  params: ReadonlyMap<string, string>
  token68?: string
}

const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const EQUALS = /[ \t]*=[ \t]*/y
const SEPARATORS = /[\s,]*/y
const UNQUOTED = /[^\s,]*/y
/** Told from a parameter by what follows: nothing, or the next challenge. */
const TOKEN68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y

interface Scanner {
  readonly text: string
  at: number
}

/**
 * Reads WWW-Authenticate: any number of challenges in any number of headers. What is off the grammar is skipped, never
 * thrown, in linear time.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const lines = typeof header === 'string' ? [header] : header ?? []
  return lines.flatMap(parseLine)
}

function parseLine(text: string): Challenge[] {
  const scanner: Scanner = { text, at: 0 }
  const found: Challenge[] = []
  let params = new Map<string, string>()
  while (hasMore(scanner)) {
    const name = take(scanner, NAME).toLowerCase()
    if (name === '') {
      scanner.at += 1
    } else if (take(scanner, EQUALS) !== '') {
      const value = takeValue(scanner)
      if (!params.has(name)) params.set(name, value)
    } else {
      const token68 = take(scanner, TOKEN68).trim()
      params = new Map()
      found.push({ scheme: name, params, ...(token68 === '' ? {} : { token68 }) })
    }
  }
  return found
}

function hasMore(scanner: Scanner): boolean {
  take(scanner, SEPARATORS)
  return scanner.at < scanner.text.length
}

/** What the sticky pattern matches here, which is then behind us; empty where it does not match. */
function take(scanner: Scanner, pattern: RegExp): string {
  pattern.lastIndex = scanner.at
  const matched = pattern.exec(scanner.text)?.[0] ?? ''
  scanner.at += matched.length
  return matched
}

function takeValue(scanner: Scanner): string {
  return scanner.text[scanner.at] === '"' ? takeQuoted(scanner) : take(scanner, UNQUOTED)
}

/** By hand: a pattern with a group for each character runs out of stack on a long hostile string. One never closed goes to the end. */
function takeQuoted(scanner: Scanner): string {
  const { text } = scanner
  let value = ''
  let at = scanner.at + 1
  for (; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] === '\\' && at + 1 < text.length) at += 1
    value += text.charAt(at)
  }
  scanner.at = at + 1
  return value
}
