import type { Outcome, Provenance } from '../cache/outcome.ts'

/** RFC 9211: how this cache handled the request, with our own word for it in `detail`. */
export function cacheStatus({ outcome, collapsed, stored, upstreamStatus }: Provenance): string {
  const forwarded = upstreamStatus === undefined ? [] : [`fwd-status=${upstreamStatus}`]
  return [
    'entrepot',
    HOW[outcome],
    ...(outcome === 'hit' ? [] : forwarded),
    ...(stored ? ['stored'] : []),
    ...(collapsed ? ['collapsed'] : []),
    `detail=${outcome}`,
  ].join('; ')
}

const HOW: Record<Outcome, string> = {
  hit: 'hit',
  revalidated: 'fwd=stale',
  updated: 'fwd=stale',
  stale: 'fwd=stale',
  miss: 'fwd=miss',
  bypass: 'fwd=bypass',
}
