import t from 'tap'
import { MemoryMetaStore } from '../../lib/store/memory-meta-store.ts'
import { scoped } from '../../lib/store/scoped-meta-store.ts'
import { metaStoreSuite } from './suites/meta-store.ts'

t.test('a scoped MetaStore is a MetaStore', async t => metaStoreSuite(t, async () => scoped(new MemoryMetaStore(), 'a:')))

t.test('scopes do not meet', async t => {
  const store = new MemoryMetaStore()
  t.teardown(() => store.close())
  const [a, b] = [scoped(store, 'a:'), scoped(store, 'b:')]
  await a.set('k', Buffer.from('1'), 60)
  await b.set('k', Buffer.from('2'), 60)
  t.equal((await a.get('k'))?.toString(), '1')
  t.equal((await store.get('b:k'))?.toString(), '2')
  await b.delete('k')
  t.equal((await a.get('k'))?.toString(), '1')
  t.equal(await b.get('k'), undefined)
})
