import type { ErrorCode } from 'yaml'

// The parser's own messages quote the text, which may be a secret, and speak of "implicit keys".
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'a text that begins with * must be in quotes',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'wrong indentation, or a bracket before it that is not closed',
  BAD_SCALAR_START: 'a text that begins with @, ` or % must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'wrong indentation, or a second key on the line; a text with ": " in it must be in quotes',
  MISSING_CHAR: 'a quote, a bracket or a colon is missing before this',
  MULTILINE_IMPLICIT_KEY: 'not a key with a value; write "key: value", with a blank after the colon',
  MULTIPLE_DOCS: 'a second document begins here; one file holds one configuration',
  NON_STRING_KEY: 'a key must be a text',
  RESOURCE_EXHAUSTION: 'nested too deep',
  TAB_AS_INDENT: 'a tab in the indentation; use blanks',
  TAG_RESOLVE_FAILED: 'tags (!name) are not supported; a text that begins with ! must be in quotes',
  UNEXPECTED_TOKEN: 'unexpected text; a value with brackets or quotes in it must be in quotes as a whole, such as \'[::1]:5000\'',
}

/** In our words; without the source. */
export function describeSyntax(code: ErrorCode): string {
  return `not valid YAML: ${SENTENCES[code] ?? 'check quotes, brackets and indentation here'}`
}
