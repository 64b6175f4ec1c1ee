import t from 'tap'
import type { Provenance } from '../../lib/cache/outcome.ts'
import { cacheStatus } from '../../lib/http/cache-status.ts'

const ANSWERS: [provenance: Provenance, header: string][] = [
  [{ outcome: 'hit' }, 'entrepot; hit; detail=hit'],
  [{ outcome: 'revalidated', upstreamStatus: 200 }, 'entrepot; fwd=stale; fwd-status=200; detail=revalidated'],
  [{ outcome: 'revalidated', upstreamStatus: 200, collapsed: true }, 'entrepot; fwd=stale; fwd-status=200; collapsed; detail=revalidated'],
  [{ outcome: 'miss', upstreamStatus: 200, stored: true }, 'entrepot; fwd=miss; fwd-status=200; stored; detail=miss'],
  [{ outcome: 'miss', upstreamStatus: 200, stored: false, collapsed: false }, 'entrepot; fwd=miss; fwd-status=200; detail=miss'],
  [{ outcome: 'miss', upstreamStatus: 206, stored: true, collapsed: true }, 'entrepot; fwd=miss; fwd-status=206; stored; collapsed; detail=miss'],
  [{ outcome: 'miss', upstreamStatus: 404 }, 'entrepot; fwd=miss; fwd-status=404; detail=miss'],
  [{ outcome: 'miss' }, 'entrepot; fwd=miss; detail=miss'],
  [{ outcome: 'updated', upstreamStatus: 200, stored: true }, 'entrepot; fwd=stale; fwd-status=200; stored; detail=updated'],
  [{ outcome: 'stale', warning: 'upstream is "unreachable"' }, 'entrepot; fwd=stale; detail=stale'],
  [{ outcome: 'stale', upstreamStatus: 503 }, 'entrepot; fwd=stale; fwd-status=503; detail=stale'],
  [{ outcome: 'bypass', upstreamStatus: 200 }, 'entrepot; fwd=bypass; fwd-status=200; detail=bypass'],
]

t.test('every outcome in the words of RFC 9211', async t => {
  for (const [provenance, header] of ANSWERS) t.equal(cacheStatus(provenance), header)
})

t.test('a hit went nowhere', async t => {
  t.equal(cacheStatus({ outcome: 'hit', upstreamStatus: 404 }), 'entrepot; hit; detail=hit')
})
