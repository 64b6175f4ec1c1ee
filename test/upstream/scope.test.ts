import t from 'tap'
import { parseRepositoryName } from '../../lib/oci/reference.ts'
import { KINDS } from '../../lib/upstream/kinds.ts'
import { scopeAt } from '../../lib/upstream/scope.ts'

const at = (url: string, base = 'https://registry.example'): string | undefined =>
  scopeAt(new URL(url), new URL(base), parseRepositoryName('asked/for'), KINDS['docker-registry'])

const ROWS: [string, string, string | undefined, string?][] = [
  ['the repository asked for', 'https://registry.example/v2/asked/for/manifests/latest', 'repository:asked/for:pull'],
  ['a component named blobs', 'https://registry.example/v2/asked/blobs/for/blobs/sha256:0', 'repository:asked/blobs/for:pull'],
  ["Harbor's redirect to library/", 'https://registry.example/v2/library/for/manifests/latest', 'repository:library/for:pull'],
  ['a path that is no registry API', 'https://registry.example/artifacts-downloads/x', 'repository:asked/for:pull'],
  ['an endpoint with a path', 'https://registry.example/hub/v2/asked/for/blobs/sha256:0', 'repository:asked/for:pull', 'https://registry.example/hub'],
  ["registry.k8s.io's region", 'https://eu.pkg.dev/v2/k8s/images/pause/manifests/3.9', 'repository:k8s/images/pause:pull'],
  ['a CDN', 'https://cdn.example/bucket/x?sig=1', undefined],
  ['a hostile name', 'https://cdn.example/v2/a,b/manifests/x', undefined],
]

for (const [name, url, scope, base] of ROWS) t.test(name, async t => { t.equal(at(url, base), scope) })
