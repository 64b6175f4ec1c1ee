import { Readable } from 'node:stream'
import { once } from 'node:events'
import t from 'tap'
import { ANSWER_CAP, discard, hangUp, readCapped } from '../../lib/upstream/body.ts'

t.test('a body within the cap is read whole', async t => {
  t.equal(String(await readCapped(Readable.from([Buffer.from('ab'), Buffer.from('c')]), 3)), 'abc')
})

t.test('a body over the cap is hung up', async t => {
  const body = Readable.from([Buffer.from('ab'), Buffer.from('cd')])
  t.equal(await readCapped(body, 3), undefined)
  t.ok(body.destroyed)
})

t.test('a body that breaks throws', async t => {
  const body = new Readable({ read() { this.destroy(new Error('cut')) } })
  await t.rejects(readCapped(body, 3), { message: 'cut' })
})

t.test('a body that nobody wants is read to its end, unless it is long', async t => {
  const short = Readable.from([Buffer.from('ab')])
  discard(short)
  await once(short, 'close')
  t.ok(short.readableEnded)
  let served = 0
  const endless = new Readable({ read() { served += 1; this.push(Buffer.alloc(16 * 1024)) } })
  discard(endless)
  await once(endless, 'close')
  t.ok(served * 16 * 1024 < 4 * ANSWER_CAP)
})

t.test('hanging up raises no unhandled error', async t => {
  const body = new Readable({ read() {}, destroy(_, callback) { callback(new Error('aborted')) } })
  hangUp(body)
  await new Promise(resolve => { body.on('close', resolve) })
  t.ok(body.destroyed)
})
