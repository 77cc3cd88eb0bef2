import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { inject } from 'vitest'
import { writeFiles } from '../../support/source-files.ts'

const ENTRY = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.ts')

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** The one document on stdout. */
  readonly document: () => Readonly<Record<string, unknown>>
}

export interface CliOptions {
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Another program of the project. @default cli/main.ts */
  readonly entry?: string
  /** Receives the process as soon as it runs. */
  readonly onStart?: (interrupt: () => void) => void
}

/** Runs the command line as a process; no output of it may ever hold the server's password. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [options.entry ?? ENTRY, ...args], {
    cwd: options.directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  options.onStart?.(() => child.kill('SIGINT'))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  const exitCode = await promise
  const result = { exitCode, stdout: await stdout, stderr: await stderr }
  const { password } = new URL(inject('serverUrl'))
  if (`${result.stdout}${result.stderr}`.includes(password)) throw new Error(`"${args[0]}" has shown the password.`)
  return { ...result, document: () => JSON.parse(result.stdout) as Readonly<Record<string, unknown>> }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

export const FIRST = '20260101000000_create_notes'
export const SECOND = '20260102000000_add_author'
export const THIRD = '20260103000000_fails_in_the_middle'

const GOOD = {
  [`${FIRST}.sql`]:
    '-- migrate:up\nCREATE TABLE notes (id int PRIMARY KEY, text text);\n-- migrate:down\nDROP TABLE notes;\n',
  [`${SECOND}.sql`]:
    '-- migrate:up\nALTER TABLE notes ADD COLUMN author text;\nINSERT INTO notes VALUES (1, $$hello$$);\n' +
    '-- migrate:down\nDELETE FROM notes;\nALTER TABLE notes DROP COLUMN author;\n',
}

const FAILING = {
  [`${THIRD}.sql`]:
    '-- migrate:up\nCREATE TABLE tags (name text);\n\nUPDATE notes\nSET writer = author;\n-- migrate:down\nDROP TABLE tags;\n',
}

/** A directory with two migrations that work. */
export function writeGoodSet(): Promise<string> {
  return writeFiles(GOOD)
}

/** The same, and a third whose second statement fails on its line 5, column 5. */
export function writeFailingSet(): Promise<string> {
  return writeFiles({ ...GOOD, ...FAILING })
}
