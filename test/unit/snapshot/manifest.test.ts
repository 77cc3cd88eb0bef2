import { expect, test } from 'vitest'
import { formatManifest, parseManifest, type SnapshotManifest } from '../../../lambda/snapshot/manifest.ts'

const MANIFEST: SnapshotManifest = {
  version: 2,
  runId: 'run',
  createdAt: '2026-11-21T08:30:05.000Z',
  server: { version: '18.4', versionNumber: 180_004 },
  database: {
    name: 'shop',
    owner: 'owner',
    encoding: 'UTF8',
    locale: { provider: 'libc', collate: 'C', ctype: 'C', name: null, icuRules: null },
    connectionLimit: -1,
    comment: null,
    permissions: null,
    settings: [],
  },
  scope: { kind: 'database' },
  exclude: [],
  unmatched: [],
  copied: { tableBytes: 8192, durationMs: 1, workers: 4 },
  bytes: 3,
  rows: 1,
  tables: [
    {
      schema: 'public',
      name: 't',
      columns: ['n'],
      filter: null,
      omitted: null,
      rows: 1,
      parts: [{ key: 'data/0001-public.t.copy.zst', rows: 1, slice: null }],
    },
  ],
  largeObjects: null,
  objects: [{ key: 'data/0001-public.t.copy.zst', bytes: 3, sha256: 'abc' }],
  restore: ['psql'],
}

test('reads what it wrote', () => {
  expect(parseManifest(formatManifest(MANIFEST))).toEqual(MANIFEST)
})

test.each([
  ['a value has changed', (text: string) => text.replace('"rows": 1', '"rows": 2'), 'does not match its own checksum'],
  ['the checksum is missing', (text: string) => text.replace('"sha256": "', '"other": "'), 'does not match its own'],
  ['it is cut off', (text: string) => text.slice(0, -5), 'is not JSON'],
  ['it is a list', () => '[]', 'is not a JSON object'],
])('fails when %s', (_what, change, message) => {
  expect(() => parseManifest(change(formatManifest(MANIFEST)))).toThrow(message)
})

test('fails with a way out on a version of the future', () => {
  const text = formatManifest(MANIFEST).replace('"version": 2', '"version": 3')
  expect(() => parseManifest(text)).toThrow('manifest.json has version 3; this Lockstep reads version 2')
})
