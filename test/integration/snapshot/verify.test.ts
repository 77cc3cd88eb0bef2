import { createHash } from 'node:crypto'
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { formatManifest, parseManifest, type SnapshotManifest } from '../../../lambda/snapshot/manifest.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { verifySnapshot } from '../../../lambda/snapshot/verify.ts'
import { createDatabase } from '../../support/database.ts'
import { contextFor, reportOfFailure, temporaryDirectory } from './support.ts'

interface Taken {
  readonly context: SnapshotContext
  readonly uri: string
  /** The path of one of the snapshot's files. */
  readonly file: (key: string) => string
  /** The object that the small tables share. */
  readonly pack: string
}

/** A snapshot of three small tables, one of them empty, one with every line break a text can have. */
async function takenSnapshot(): Promise<Taken> {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE a (id int, filler text);
    INSERT INTO a SELECT n, E'line\\nfeed \\\\ and\\ttab ' || md5(n::text) FROM generate_series(1, 3000) n;
    CREATE TABLE b (); INSERT INTO b DEFAULT VALUES; INSERT INTO b DEFAULT VALUES;
    CREATE TABLE empty (id int)`)
  const context = contextFor(database, createDirectoryStore(await temporaryDirectory()))
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const [pack = ''] = await readdir(join(fileURLToPath(uri), 'data'))
  return { context, uri, file: (key) => join(fileURLToPath(uri), key), pack: `data/${pack}` }
}

async function change(taken: Taken, key: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(taken.file(key), edit(await readFile(taken.file(key))))
}

/** Writes the manifest anew, with a checksum that is right. */
async function forge(taken: Taken, edit: (manifest: SnapshotManifest) => object): Promise<void> {
  await change(taken, 'manifest.json', (bytes) => {
    const manifest = parseManifest(bytes.toString())
    return Buffer.from(formatManifest({ ...manifest, ...edit(manifest) }))
  })
}

const flipByte = (bytes: Buffer): Buffer => {
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
  return bytes
}

test('finds a snapshot intact that is', async () => {
  const { context, uri } = await takenSnapshot()

  expect(await verifySnapshot(context, uri)).toMatchObject({
    uri,
    status: 'intact',
    objects: 4,
    tables: 3,
    rows: 3002,
    problems: [],
  })
})

test('names everything that is wrong at once', async () => {
  const taken = await takenSnapshot()
  await change(taken, taken.pack, flipByte)
  await rm(taken.file('sequences.sql'))
  await appendFile(taken.file('post-data.sql'), '-- more\n')
  await change(taken, 'pre-data.sql', (bytes) => Buffer.from(bytes.toString().replace('filler text', 'filler name')))

  const { status, problems } = await verifySnapshot(taken.context, taken.uri)

  expect(status).toBe('damaged')
  expect(problems.map(({ object }) => object)).toEqual([taken.pack, 'post-data.sql', 'pre-data.sql', 'sequences.sql'])
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/cannot be decompressed|does not match its checksum/),
    expect.stringMatching(/has \d+ bytes instead of \d+/),
    expect.stringContaining('does not match its checksum'),
    expect.stringContaining('sequences.sql does not exist'),
  ])
})

test('counts the rows of each table, and adds up what the manifest says', async () => {
  const taken = await takenSnapshot()
  await forge(taken, ({ tables, rows }) => ({
    rows: rows + 5,
    tables: tables.map((table) => ({ ...table, parts: table.parts.map((part) => ({ ...part, rows: part.rows + 1 })) })),
  }))

  const { problems } = await verifySnapshot(taken.context, taken.uri)

  expect(problems.map(({ object, message }) => `${object} ${message}`).toSorted()).toEqual([
    `${taken.pack} holds 2 rows of public.b instead of 3`,
    `${taken.pack} holds 3000 rows of public.a instead of 3001`,
    'manifest.json says 2 rows of public.b, but there are 3',
    'manifest.json says 3000 rows of public.a, but there are 3001',
    'manifest.json says 3007 rows, but there are 3002',
  ])
})

test('finds out when rows end early although every checksum is right', async () => {
  const taken = await takenSnapshot()
  const short = zstdCompressSync(zstdDecompressSync(await readFile(taken.file(taken.pack))).subarray(0, 500))
  await writeFile(taken.file(taken.pack), short)
  const sha256 = createHash('sha256').update(short).digest('hex')
  await forge(taken, ({ objects }) => ({
    objects: objects.map((object) => (object.key === taken.pack ? { ...object, bytes: short.length, sha256 } : object)),
  }))

  const { problems } = await verifySnapshot(taken.context, taken.uri)

  expect(problems.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/ends before byte \d+ of its decompressed content/),
  )
})

test('says so when there is no manifest', async () => {
  const taken = await takenSnapshot()
  await rm(taken.file('manifest.json'))

  expect(await verifySnapshot(taken.context, taken.uri)).toMatchObject({
    status: 'damaged',
    database: null,
    problems: [{ object: 'manifest.json', message: expect.stringContaining('there is no manifest.json') }],
  })
})

test('fails when it is aborted', async () => {
  const { context, uri } = await takenSnapshot()
  const signal = AbortSignal.abort(new Error('Ctrl-C'))

  const report = await reportOfFailure(verifySnapshot({ ...context, signal }, uri))

  expect(report).toMatchObject({ code: 'SNAPSHOT_FAILED', message: `Verifying ${uri} was cancelled: Ctrl-C.` })
})
