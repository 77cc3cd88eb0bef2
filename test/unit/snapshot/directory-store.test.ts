import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { MissingObjectFault } from '../../../lambda/snapshot/fault.ts'

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lockstep-test-store-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const bodyOf = (text: string): Readable => Readable.from([Buffer.from(text)])

test('writes, reads, lists and removes', async () => {
  const root = await directory()
  const store = createDirectoryStore(join(root, 'made on demand'))
  expect(await store.list('')).toEqual([])

  expect(await store.write('b/1/x.sql', bodyOf('hello'))).toEqual({ bytes: 5 })
  await store.write('b/2/y.sql', bodyOf(''))
  await store.write('a/1/z.sql', bodyOf('z'))
  await store.write('a/1/z.sql', bodyOf('again'))

  expect(store.uri).toBe(pathToFileURL(join(root, 'made on demand')).href)
  expect(await store.list('')).toEqual(['a/1/z.sql', 'b/1/x.sql', 'b/2/y.sql'])
  expect(await store.list('b/1/')).toEqual(['b/1/x.sql'])
  expect(await store.list('b/1/x')).toEqual(['b/1/x.sql'])
  expect(await store.list('nowhere/')).toEqual([])
  expect(Buffer.concat(await (await store.read('a/1/z.sql')).toArray()).toString()).toBe('again')
  await store.remove(['b/1/x.sql', 'b/2/y.sql', 'b/3/not-there'])
  expect(await readdir(join(root, 'made on demand'))).toEqual(['a'])
})

test('lets only the owner read what it keeps', async () => {
  const root = await directory()
  await createDirectoryStore(root).write('d/k', bodyOf('secret'))
  expect((await stat(join(root, 'd/k'))).mode & 0o077).toBe(0)
  expect((await stat(join(root, 'd'))).mode & 0o077).toBe(0)
})

test('shows an object only when it is complete, and nothing of one that fails', async () => {
  const root = await directory()
  const store = createDirectoryStore(root)
  let seen: readonly string[] | null = null
  const body = Readable.from(
    (async function* () {
      yield Buffer.from('half')
      seen = await store.list('')
      throw new Error('the source failed')
    })(),
  )

  await expect(store.write('d/k', body)).rejects.toThrow('the source failed')

  expect(seen).toEqual([])
  expect(await store.list('')).toEqual([])
  expect(await readdir(join(root, 'd'))).toEqual([])
})

test('fails when there is no such object', async () => {
  await expect(createDirectoryStore(await directory()).read('d/k')).rejects.toThrow(MissingObjectFault)
})

test.each(['../k', 'd/../../k', '/etc/passwd', 'd//k', './k', 'd\\k', 'd\0k', ''])(
  'refuses the key %j',
  async (key) => {
    const root = await directory()
    const store = createDirectoryStore(join(root, 'store'))
    await expect(store.write(key, bodyOf('x'))).rejects.toThrow('is not a key of a snapshot store')
    await expect(store.read(key)).rejects.toThrow('is not a key of a snapshot store')
    await expect(store.remove([key])).rejects.toThrow('is not a key of a snapshot store')
    expect(await readdir(root)).toEqual([])
  },
)

test('fails with the directory that it cannot write to', async () => {
  const root = await directory()
  await writeFile(join(root, 'file'), '')
  await chmod(join(root, 'file'), 0o400)
  await expect(createDirectoryStore(join(root, 'file')).write('d/k', bodyOf('x'))).rejects.toMatchObject({
    message: expect.stringContaining(`cannot write to ${join(root, 'file', 'd')}`) as unknown,
    remedy: expect.stringContaining('writable') as unknown,
  })
})
