import fc from 'fast-check'
import t from 'tap'
import { Recent } from '../../lib/cache/recent.ts'

const MiB = 1024 * 1024

t.test('what is kept is what came, at every position', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(50), fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(30), fc.nat(200), async (start, chunks, length, position) => {
    const recent = new Recent(start)
    for (const chunk of chunks) recent.push(Buffer.from(chunk))
    const whole = Buffer.concat([Buffer.alloc(start), ...chunks])
    const target = Buffer.alloc(length)
    const copied = recent.copy(target, position)
    const expected = position < start ? Buffer.alloc(0) : whole.subarray(position, position + length)
    if (!target.subarray(0, copied).equals(expected)) throw new Error(`${copied} bytes at ${position}`)
    if (position >= start && !Buffer.concat(recent.from(position)).equals(whole.subarray(position))) throw new Error('from')
    return Promise.resolve()
  }))
})

t.test('what is not on disk yet is never forgotten; what is, and is old, is', t => {
  const recent = new Recent(0)
  for (let chunk = 0; chunk < 8; chunk += 1) recent.push(Buffer.alloc(MiB, chunk))
  const one = Buffer.alloc(1)
  recent.trim(0)
  t.equal(recent.copy(one, 0), 1)
  recent.trim(3 * MiB)
  t.equal(recent.copy(one, 3 * MiB - 1), 0)
  t.equal(recent.copy(one, 3 * MiB), 1)
  recent.trim(8 * MiB)
  t.equal(recent.copy(one, 6 * MiB - 1), 0)
  t.equal(recent.copy(one, 6 * MiB), 1)
  t.equal(one[0], 6)
  t.end()
})
