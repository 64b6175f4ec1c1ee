import t from 'tap'
import { bareHost, hostOf, isIpLiteral, isLocalHost, isSameHost } from '../../lib/upstream/hosts.ts'

const at = (host: string): URL => new URL(`http://${host}:8080/`)

for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f.0.0.1', '0177.0.0.1', '127.0.0.1.', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '[::]',
  '169.254.169.254', '[::ffff:169.254.169.254]', '[fe80::1]', '[fd00:ec2::254]', 'localhost', 'LOCALHOST.', 'a.localhost', 'localhost.localdomain']) {
  t.test(`${host} is local`, async t => { t.ok(isLocalHost(hostOf(at(host)))) })
}

for (const host of ['10.0.0.5', '192.168.1.1', '8.8.8.8', '[2001:db8::1]', 'registry.example', 'notlocalhost', 'localhost.example']) {
  t.test(`${host} is not local`, async t => { t.notOk(isLocalHost(hostOf(at(host)))) })
}

t.test('IP literals in every notation', async t => {
  for (const host of ['10.0.0.5', '167772165', '[2001:db8::1]', '0xa000005']) t.ok(isIpLiteral(hostOf(at(host))), host)
  for (const host of ['a.example', 'localhost', '1.2.3.4.example']) t.notOk(isIpLiteral(hostOf(at(host))), host)
})

t.test('one host, however written, at any port', async t => {
  t.ok(isSameHost(at('A.example.'), new URL('https://a.example/x')))
  t.notOk(isSameHost(at('a.example'), at('b.example')))
  t.equal(bareHost('Auth.Example.'), 'auth.example')
})
