import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import type { Body } from '../../lib/cache/body.ts'
import { pump } from '../../lib/http/pump.ts'

const MiB = 1024 * 1024

/** Counts down bytes whose values tell their positions; notes whether it was aborted. */
function bodyOf(length: number, step = MiB): Body & { aborts: number } {
  let position = 0
  return {
    aborts: 0,
    read(buffer) {
      const count = Math.min(buffer.length, step, length - position)
      for (let index = 0; index < count; index += 1) buffer[index] = (position + index) % 251
      position += count
      return Promise.resolve(count)
    },
    abort() { this.aborts += 1 },
  }
}

t.test('every byte arrives in its place, though the buffers are used again', async t => {
  for (const [length, step] of [[0, 1], [1, 1], [5 * MiB + 3, MiB], [3 * MiB, 1000], [100, 7]] as const) {
    const chunks: Buffer[] = []
    // Takes its time over each write, and looks at the bytes only then.
    const slow = new Writable({ write(chunk: Buffer, _, done) { setImmediate(() => { chunks.push(Buffer.from(chunk)); done() }) } })
    let counted = 0
    t.equal(await pump(bodyOf(length, step), slow, length, bytes => { counted += bytes }), length)
    const all = Buffer.concat(chunks)
    t.ok(all.length === length && all.every((byte, index) => byte === index % 251), `${length} by ${step}`)
    t.equal(counted, length)
  }
})

t.test('an unknown length ends with the body', async t => {
  const sink = new PassThrough().resume()
  t.equal(await pump(bodyOf(1000, 10), sink, undefined, () => {}), 1000)
})

t.test('a body that ends early is told by its count', async t => {
  t.equal(await pump(bodyOf(10), new PassThrough().resume(), 20, () => {}), 10)
})

t.test('a client that leaves ends it, and the body is told', async t => {
  const stuck = new Writable({ write() {} })
  const body = bodyOf(10 * MiB)
  const pumping = pump(body, stuck, 10 * MiB, () => {})
  setImmediate(() => stuck.destroy())
  await t.rejects(pumping, { name: 'ClientLeft' })
  t.ok(body.aborts > 0)
})

t.test('what the body throws is thrown, and it is told to end', async t => {
  const body = { ...bodyOf(0), read: () => Promise.reject(new Error('upstream broke')), aborts: 0 }
  await t.rejects(pump(body, new PassThrough(), 10, () => {}), { message: 'upstream broke' })
})
