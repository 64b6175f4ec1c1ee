import { existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../lib/oci/digest.ts'
import { openStorage, StorageError } from '../../lib/store/storage.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { FakeClock } from '../upstream/support.ts'
import { filesIn } from './support.ts'

const HOUR = 60 * 60 * 1000

t.test('a directory is made, and known again', async t => {
  const directory = join(temporaryDirectory(t), 'a/b')
  const { id, layout } = await openStorage(directory, new FakeClock())
  t.match(id, /^[0-9a-f-]{36}$/)
  t.same(JSON.parse(readFileSync(layout.format(), 'utf8')), { format: 1, id })
  t.same(filesIn(directory), ['entrepot.json'])
  for (const path of [layout.blobs(), layout.partials(), layout.repositories()]) t.ok(existsSync(path))
  t.equal((await openStorage(directory, new FakeClock())).id, id)
  t.not((await openStorage(temporaryDirectory(t), new FakeClock())).id, id)
})

t.test('what a killed process left is removed, unless it is a fill of today', async t => {
  const directory = temporaryDirectory(t)
  const clock = new FakeClock()
  const { layout } = await openStorage(directory, clock)
  const aged = (name: string, age: number): string => {
    const path = join(layout.partials(), name)
    writeFileSync(path, 'x')
    const at = new Date(clock.now() - age)
    utimesSync(path, at, at)
    return path
  }
  const [young, old] = [layout.partial(digestOf(Buffer.from('young'))), layout.partial(digestOf(Buffer.from('old')))]
  aged('tmp-1', 0)
  aged('tmp-2', -HOUR)
  aged(young.split('/').at(-1) ?? '', 23 * HOUR)
  aged(old.split('/').at(-1) ?? '', 25 * HOUR)
  aged('sha256-future', -48 * HOUR)
  symlinkSync('nowhere', join(layout.partials(), 'dangling'))
  await openStorage(directory, clock)
  t.ok(existsSync(young))
  t.same(filesIn(layout.partials()), ['sha256-future', young.split('/').at(-1)].sort())
  clock.advance(2 * HOUR)
  await openStorage(directory, clock)
  t.same(filesIn(layout.partials()), ['sha256-future'])
})

const FOREIGN: [text: string, message: RegExp][] = [
  ['{"format":2,"id":"a"}', /entrepot\.json: on-disk format 2 is not format 1: use the entrepot that wrote it, or another storage\.directory$/],
  ...['', '{', 'hello', '\0'].map((text): [string, RegExp] => [text, /entrepot\.json: not JSON: use another storage\.directory, or delete this file if the directory is entrepot's$/]),
  ...['null', '7', '"a"', '[]', '{}', '{"name":"x"}', '{"format":1}', '{"format":1,"id":7}', '{"format":1,"id":""}', '{"format":"1","id":"a"}'].map((text): [string, RegExp] => [
    text, /entrepot\.json: not written by entrepot: use another storage\.directory, or delete this file if the directory is entrepot's$/,
  ]),
]

t.test('a directory of another format, or of somebody else, is not touched', async t => {
  for (const [text, message] of FOREIGN) {
    const directory = temporaryDirectory(t)
    mkdirSync(join(directory, 'partial'))
    writeFileSync(join(directory, 'entrepot.json'), text)
    writeFileSync(join(directory, 'partial/tmp-1'), '')
    const error = await openStorage(directory, new FakeClock()).then(() => undefined, (error: unknown) => error)
    t.ok(error instanceof StorageError, text)
    t.match(error, { name: 'StorageError', message })
    t.same(filesIn(directory), ['entrepot.json', 'partial/tmp-1'])
    t.equal(readFileSync(join(directory, 'entrepot.json'), 'utf8'), text)
  }
})

t.test('a directory that cannot be one is named', async t => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'file'), '')
  mkdirSync(join(directory, 'taken'))
  writeFileSync(join(directory, 'taken/blobs'), '')
  mkdirSync(join(directory, 'odd/entrepot.json'), { recursive: true })
  for (const [path, code] of [['file', 'EEXIST|ENOTDIR'], ['file/below', 'ENOTDIR'], ['taken', 'EEXIST'], ['odd', 'EISDIR'], ['x'.repeat(256), 'ENAMETOOLONG'], ['a\0', 'ERR_INVALID_ARG_VALUE']] as const) {
    const message = new RegExp(`^storage.directory .+ cannot be used \\((${code})\\): make it a writable directory$`, 's')
    await t.rejects(openStorage(join(directory, path), new FakeClock()), { name: 'StorageError', message }, path)
  }
})
