import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { below, isWithin, parentOf, quoted, readable } from '../../lib/config/pointer.ts'

t.test('paths are written as people write them', async t => {
  t.equal(readable(''), '')
  t.equal(readable('/endpoints/hub/timeouts'), 'endpoints.hub.timeouts')
  t.equal(readable('/projects/a.b/serveStaleOn/0'), 'projects["a.b"].serveStaleOn[0]')
  t.equal(readable(below('/projects', 'a/b~1')), 'projects["a/b~1"]')
  t.equal(readable(below('/credentials', 'password:hunter2')), 'credentials["password:…"]')
})

t.test('any key stays on one line, and one level down', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), key => {
    const child = below('/endpoints', key)
    assert.equal(parentOf(child), '/endpoints')
    assert.ok(isWithin(child, '/endpoints'))
    assert.doesNotMatch(readable(child), /[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
    assert.ok(readable(child).length < 500)
  }))
  t.notOk(isWithin('/endpoints2', '/endpoints'))
})

t.test('terminals are not repainted', async t => {
  t.equal(quoted('\u001b[2J\u009b\u202e'), '"\\u001b[2J\\u009b\\u202e"')
})
