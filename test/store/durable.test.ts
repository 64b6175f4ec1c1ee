import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createMarkers, errorCode, isAbsent, publish, readIfPresent, writeDurably } from '../../lib/store/durable.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { filesIn } from './support.ts'

t.test('a file is written, replaced, and nothing else is left', async t => {
  const directory = temporaryDirectory(t)
  mkdirSync(join(directory, 'tmp'))
  const path = join(directory, 'a/b/c.json')
  for (const text of ['one', '', 'three']) {
    await writeDurably(join(directory, 'tmp'), path, text)
    t.equal(readFileSync(path, 'utf8'), text)
  }
  await writeDurably(join(directory, 'tmp'), path, Uint8Array.of(0, 255))
  t.same(await readIfPresent(path), Buffer.from([0, 255]))
  t.same(filesIn(directory), ['a/b/c.json'])
})

t.test('writers at once leave the bytes of one of them', async t => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'a')
  const texts = Array.from({ length: 20 }, (_, number) => String(number).repeat(10_000))
  await Promise.all(texts.map(text => writeDurably(directory, path, text)))
  t.ok(texts.includes(readFileSync(path, 'utf8')))
  t.same(filesIn(directory), ['a'])
})

t.test('what cannot be written leaves the old file, and no temporary one', async t => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'a'), 'old')
  mkdirSync(join(directory, 'b'))
  await t.rejects(writeDurably(directory, join(directory, 'a/b'), 'new'), { code: 'EEXIST' })
  await t.rejects(writeDurably(directory, join(directory, 'b'), 'new'), { code: 'EISDIR' })
  await t.rejects(writeDurably(directory, join(directory, 'x'.repeat(256)), 'new'), { code: 'ENAMETOOLONG' })
  await t.rejects(writeDurably(join(directory, 'none'), join(directory, 'c'), 'new'), { code: 'ENOENT' })
  t.same(filesIn(directory), ['a'])
  t.equal(readFileSync(join(directory, 'a'), 'utf8'), 'old')
})

t.test('a file is moved into a directory that is made for it', async t => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'a'), 'a')
  await publish(join(directory, 'a'), join(directory, 'b/c/d'))
  t.same(filesIn(directory), ['b/c/d'])
})

t.test('markers are empty files, and stay what they are', async t => {
  const directory = temporaryDirectory(t)
  const paths = ['a', 'b'].map(name => join(directory, 'markers', name))
  await createMarkers([])
  await createMarkers(paths)
  await createMarkers(paths)
  t.same(filesIn(directory), ['markers/a', 'markers/b'])
  t.same(await readIfPresent(paths[0] ?? ''), Buffer.alloc(0))
})

t.test('a file that is not there is undefined, one that cannot be read an error', async t => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'file'), '')
  for (const path of ['none', 'none/none', 'file/none', 'x'.repeat(256)]) t.equal(await readIfPresent(join(directory, path)), undefined, path)
  await t.rejects(readIfPresent(directory), { code: 'EISDIR' })
})

t.test('codes of errors', async t => {
  const withCode = (code: unknown): Error => Object.assign(new Error(), { code })
  t.equal(errorCode(withCode('ENOSPC')), 'ENOSPC')
  for (const value of [withCode(5), new Error(), { code: 'ENOSPC' }, 'ENOSPC', undefined, null]) t.equal(errorCode(value), undefined)
  for (const code of ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']) t.ok(isAbsent(withCode(code)))
  for (const code of ['EIO', 'EACCES', 'EISDIR', 'EMFILE']) t.notOk(isAbsent(withCode(code)), code)
})
