import t from 'tap'
import { nearest, suggestion } from '../../lib/config/nearest.ts'
import { ENDPOINT_TYPES } from '../../lib/config/endpoint-types.ts'

t.test('slips, spelling and parts of words', async t => {
  const meant: [string, readonly string[], string | undefined][] = [
    ['conect', ['connect', 'response', 'idle'], 'connect'],
    ['public_url', ['publicUrl', 'listen'], 'publicUrl'],
    ['Listen', ['publicUrl', 'listen'], 'listen'],
    ['dockerhub', ENDPOINT_TYPES, 'docker-hub'],
    ['github', ENDPOINT_TYPES, 'github-ghcr'],
    ['ecr', ENDPOINT_TYPES, 'aws-ecr'],
    ['tls', ['url', 'type'], undefined],
    ['entirely else', ['url', 'type'], undefined],
    ['x'.repeat(100_000), ['url'], undefined],
    ['c', ['a', 'b'], undefined],
    ['', ['url'], undefined],
  ]
  for (const [word, candidates, expected] of meant) t.equal(nearest(word, candidates), expected, word.slice(0, 20))
})

t.test('a suggestion ends the sentence', async t => {
  t.equal(suggestion('conect', ['connect']), ', did you mean "connect"?')
  t.equal(suggestion('zzz', ['env', 'file']), '; known here: env, file')
  t.equal(suggestion('zzz', []), '')
})
