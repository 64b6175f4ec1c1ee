/** What a Range header asks of a representation. `end` is exclusive. */
export type RangeAnswer =
  | { kind: 'whole' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' }

const WHOLE: RangeAnswer = { kind: 'whole' }
const UNSATISFIABLE: RangeAnswer = { kind: 'unsatisfiable' }

/**
 * RFC 9110 section 14. Several ranges are answered with the whole, as section 14.2 allows: every client that asks for them
 * takes it. What is no byte range at all is ignored.
 * @param size bytes; unknown while upstream has not said, and then only the whole can be given
 */
export function parseRange(header: string | undefined, size: number | undefined): RangeAnswer {
  const [, first, last] = /^bytes\s*=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE
  // containerd 2.1 asks for bytes=0- of everything, empty blobs too: an error would fail the pull (Go's net/http does so, too).
  if (size === undefined || size === 0) return WHOLE
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  return start < size && start < end ? { kind: 'part', start, end } : UNSATISFIABLE
}

function suffix(length: number, size: number): RangeAnswer {
  return length === 0 ? UNSATISFIABLE : { kind: 'part', start: Math.max(0, size - length), end: size }
}

/** RFC 9110 section 13.1.5: with another validator than ours the range is of some other content. */
export function rangeApplies(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange === etag
}

/** RFC 9110 section 13.1.2, weakly; bare digests too, as some clients send them. */
export function matchesEtag(ifNoneMatch: string | undefined, digest: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const candidates = ifNoneMatch.split(',').map(tag => tag.trim().replace(/^W\//, '').replace(/^"(.*)"$/, '$1'))
  return candidates.includes(digest)
}
