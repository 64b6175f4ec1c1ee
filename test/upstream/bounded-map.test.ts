import t from 'tap'
import { BoundedMap } from '../../lib/upstream/bounded-map.ts'

t.test('forgets what was used least recently', async t => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  t.equal(map.get('a'), 1)
  map.set('c', 3)
  t.equal(map.get('b'), undefined)
  t.equal(map.get('a'), 1)
  t.equal(map.get('c'), 3)
  map.delete('a')
  t.equal(map.get('a'), undefined)
})

t.test('never holds more than its capacity', async t => {
  const map = new BoundedMap<number, number>(10)
  for (let key = 0; key < 1000; key += 1) map.set(key, key)
  t.equal(map.size, 10)
})
