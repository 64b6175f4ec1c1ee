import t from 'tap'
import { UpstreamFailure } from '../../lib/upstream/failure.ts'
import { isRedirect, redirectTarget } from '../../lib/upstream/redirect.ts'

const follow = (location: string | undefined, { from = 'https://registry.example/v2/a/blobs/x?sig=secret', registry = 'https://registry.example', verified = true } = {}): string =>
  redirectTarget({ from: new URL(from), status: 307, location, registry: new URL(registry), verified }).href

t.test('the statuses', async t => {
  t.same([300, 301, 302, 303, 304, 305, 307, 308].filter(isRedirect), [301, 302, 303, 307, 308])
})

t.test('absolute and relative', async t => {
  t.equal(follow('https://cdn.example/x?sig=a%2Fb'), 'https://cdn.example/x?sig=a%2Fb')
  t.equal(follow('/artifacts-downloads/x'), 'https://registry.example/artifacts-downloads/x')
  t.equal(follow('//cdn.example/x'), 'https://cdn.example/x')
})

t.test('private addresses are storage, as at any site', async t => {
  t.equal(follow('http://10.0.0.5:9000/bucket/x'), 'http://10.0.0.5:9000/bucket/x')
})

const REFUSED: [string, string | undefined, RegExp][] = [
  ['no Location', undefined, /without saying where/],
  ['no URL', 'https://[', /no URL/],
  ['another scheme', 'file:///etc/passwd', /neither/],
  ['loopback', 'http://127.0.0.1:6379/', /local address/],
  ['loopback in decimal', 'http://2130706433/', /local address/],
  ['loopback in IPv6', 'http://[::1]/', /local address/],
  ['mapped loopback', 'http://[::ffff:127.0.0.1]/', /local address/],
  ['localhost', 'http://localhost/', /local address/],
  ['a name under localhost', 'http://x.localhost./', /local address/],
  ["the cloud's metadata", 'http://169.254.169.254/latest/meta-data', /local address/],
]

for (const [name, location, message] of REFUSED) {
  t.test(`SSRF (CVE-2026-0600's kind): ${name} is refused`, async t => {
    t.throws(() => follow(location), { reason: 'server-error', message })
  })
}

t.test('a registry on loopback may redirect there', async t => {
  const from = 'http://127.0.0.1:5000/v2/'
  t.equal(follow('http://127.0.0.1:9000/x', { from, registry: 'http://127.0.0.1:5000' }), 'http://127.0.0.1:9000/x')
})

t.test('a hop on the way does not make loopback legal', async t => {
  t.throws(() => follow('http://127.0.0.1/', { from: 'http://localhost/x' }), { message: /local address/ })
})

t.test('https to http: for what is verified by digest only', async t => {
  t.equal(follow('http://cdn.example/x'), 'http://cdn.example/x')
  t.throws(() => follow('http://cdn.example/x', { verified: false }), { reason: 'server-error', message: /https to http/ })
  t.equal(follow('http://cdn.example/x', { from: 'http://registry.example/', verified: false }), 'http://cdn.example/x')
})

t.test('no query in the message', async t => {
  try {
    follow('http://127.0.0.1/?token=secret')
  } catch (error) {
    t.notMatch(error instanceof UpstreamFailure && error.message, /secret/)
  }
})
