import { runProgram } from './process.ts'

/** @throws Error that says what to install when psql is not there. */
export async function requirePsql(): Promise<void> {
  await runProgram('psql', ['--version']).catch(() => {
    throw new Error('psql is needed for the comparison (Debian: apt-get install postgresql-client).')
  })
}
