import { expect, test } from 'vitest'
import { parseStoreLocation } from '../../../lambda/snapshot/location.ts'
import { prefixOf } from '../../../lambda/snapshot/snapshot-uri.ts'

test.each([
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://my.bucket-1/a/b/', { kind: 's3', bucket: 'my.bucket-1', prefix: 'a/b' }],
  ['file:///var/with%20space', { kind: 'directory', directory: '/var/with space' }],
  ['snapshots', { kind: 'directory', directory: 'snapshots' }],
  ['/var/snapshots', { kind: 'directory', directory: '/var/snapshots' }],
])('reads %s', (text, location) => {
  expect(parseStoreLocation(text)).toEqual(location)
})

test.each(['', 's3://', 's3://x', 's3:///prefix', 'https://bucket.s3.amazonaws.com', 'file://host/path%zz'])(
  'refuses "%s"',
  (text) => {
    expect(() => parseStoreLocation(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  },
)

const S3 = { uri: 's3://bucket/some/prefix' }
const DIRECTORY = { uri: 'file:///var/lib/with%20space' }
const SNAPSHOT = 'shop/20261121T083005Z-run'

test.each([
  [S3, `s3://bucket/some/prefix/${SNAPSHOT}`],
  [S3, `s3://bucket/some/prefix/${SNAPSHOT}/`],
  [S3, `s3://bucket/some/prefix/${SNAPSHOT}/manifest.json`],
  [DIRECTORY, `file:///var/lib/with%20space/${SNAPSHOT}`],
  [DIRECTORY, `/var/lib/with space/${SNAPSHOT}`],
  [DIRECTORY, `/var/lib/other/../with space/${SNAPSHOT}/manifest.json`],
])('finds the snapshot in %o at %s', (store, uri) => {
  expect(prefixOf(store, uri)).toBe(SNAPSHOT)
})

test.each([
  [S3, `s3://bucket/other/${SNAPSHOT}`],
  [S3, `s3://bucket/some/prefix2/${SNAPSHOT}`],
  [S3, 's3://bucket/some/prefix/shop'],
  [S3, 's3://bucket/some/prefix/../x'],
  [S3, `/some/prefix/${SNAPSHOT}`],
  [DIRECTORY, `/var/lib/${SNAPSHOT}`],
  [DIRECTORY, '/var/lib/with space'],
  [DIRECTORY, 'file:///var/%zz'],
  [DIRECTORY, ''],
])('refuses, for %o, "%s"', (store, uri) => {
  expect(() => prefixOf(store, uri)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
