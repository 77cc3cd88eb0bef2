import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measure, type Measured } from './measure.ts'
import { runProgram } from './process.ts'
import { withClient } from './snapshot-data.ts'

/** One way to copy a database. */
export interface Variant {
  readonly name: string
  readonly role: 'raw' | 'limit' | 'ours' | 'peer'
  /** Leaves what it stored in `output`, if anything. */
  readonly run: (output: string) => Promise<Sample>
}

export interface Sample extends Measured {
  /** Null: nothing is stored. */
  readonly storedBytes: number | null
}

export interface VariantInput {
  readonly url: string
  /** Scratch. */
  readonly directory: string
  /** What runs ours: a module for Node. */
  readonly child: string
  readonly sink: string
  /** How many the comparisons with several connections use. */
  readonly connections: number
  readonly pgDumpMajor: number
}

/** From what the machine can do at most to what people use today. */
export async function variantsFor(input: VariantInput): Promise<readonly Variant[]> {
  const { connections, pgDumpMajor } = input
  const one = await writeScripts(input, 1)
  const many = await writeScripts(input, connections)
  const zstdJobs = pgDumpMajor >= 16 ? [jobs(input, '--compress=zstd:1')] : []
  return [
    { name: 'COPY TO, discarded, 1 connection', role: 'raw', run: shell(input, copy(input.url, one, '> /dev/null')) },
    {
      name: `COPY TO, discarded, ${connections} connections`,
      role: 'raw',
      run: shell(input, copy(input.url, many, '> /dev/null')),
    },
    {
      name: `COPY TO | zstd -1, ${connections} connections`,
      role: 'limit',
      run: shell(input, copy(input.url, many, '| zstd -q -1 > "$OUTPUT/$part.zst"')),
    },
    { name: 'Lockstep, to a directory', role: 'ours', run: oursToDirectory(input) },
    { name: 'Lockstep, to S3 (a sink that discards)', role: 'ours', run: oursToS3(input) },
    { name: 'pg_dump -Fc', role: 'peer', run: shell(input, `pg_dump -Fc -f "$OUTPUT/dump" ${quoted(input.url)}`) },
    jobs(input, ''),
    ...zstdJobs,
    {
      name: 'pg_dump | zstd -1',
      role: 'peer',
      run: shell(input, `pg_dump ${quoted(input.url)} | zstd -q -1 > "$OUTPUT/dump.zst"`),
    },
  ]
}

function jobs(input: VariantInput, option: string): Variant {
  const name = `pg_dump -Fd -j2 ${option}`.trim()
  return { name, role: 'peer', run: shell(input, `${name} -f "$OUTPUT/dump" ${quoted(input.url)}`) }
}

/** Runs the command with a directory of its own in `$OUTPUT`; what is in it afterwards counts as stored. */
function shell({ directory }: VariantInput, command: string): Variant['run'] {
  return async (output) => {
    const measured = await measure(`mkdir "$OUTPUT"; ${command}`, directory, { OUTPUT: output })
    return { ...measured, storedBytes: await sizeOf(output) }
  }
}

async function sizeOf(directory: string): Promise<number | null> {
  const { output } = await runProgram('bash', ['-c', `find "$0" -type f -printf '%s\\n' | paste -sd+ | bc`, directory])
  return output.trim() === '' ? null : Number(output)
}

function oursToDirectory({ url, directory, child }: VariantInput): Variant['run'] {
  return async (output) => {
    const measured = await measure(`${quoted(process.execPath)} ${quoted(child)} ${quoted(url)} "$OUTPUT"`, directory, {
      OUTPUT: output,
    })
    return { ...measured, storedBytes: await sizeOf(output) }
  }
}

function oursToS3({ url, directory, child, sink }: VariantInput): Variant['run'] {
  return async () => {
    const command = `${quoted(process.execPath)} ${quoted(child)} ${quoted(url)} s3://bench/snapshots`
    const measured = await measure(command, directory, {
      AWS_ENDPOINT_URL_S3: sink,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    })
    return { ...measured, storedBytes: Number(await (await fetch(`${sink}/stored`)).text()) }
  }
}

/** The bytes of all rows as COPY writes them. */
export async function textBytesOf(url: string): Promise<number> {
  const [sql = ''] = await copyScripts(url, 1)
  const { output } = await runProgram('bash', ['-c', `echo "$1" | psql -XAtq "$0" | wc -c`, url, sql])
  return Number(output)
}

/** All connections at the same time; each has its statements in a file of its own. */
function copy(url: string, scripts: readonly string[], sink: string): string {
  const parts = scripts.map(
    (file, part) => `(part=${part}; psql -XAtq -f ${quoted(file)} ${quoted(url)} ${sink}) & pids+=($!)`,
  )
  return `pids=(); ${parts.join('\n')}\nfor pid in "\${pids[@]}"; do wait "$pid"; done`
}

async function writeScripts({ url, directory }: VariantInput, connections: number): Promise<readonly string[]> {
  const scripts = await copyScripts(url, connections)
  const folder = await mkdtemp(join(directory, 'scripts-'))
  const files = scripts.map((sql, part) => ({ sql, file: join(folder, `${part}.sql`) }))
  for (const { sql, file } of files) await writeFile(file, sql)
  return files.map(({ file }) => file)
}

/** The statements that copy the whole database, in equal shares: large tables cut by their pages. */
async function copyScripts(url: string, connections: number): Promise<readonly string[]> {
  const tables = await withClient(url, async (client) => {
    const result = await client.query<{ name: string; pages: number }>(
      `SELECT relname AS name, (pg_relation_size(oid) / 8192)::int AS pages FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`,
    )
    return result.rows
  })
  const shares = Array.from({ length: connections }, (): string[] => [])
  tables.forEach(({ name, pages }, index) => {
    if (pages < 1000 || connections === 1) shares[index % connections]?.push(`COPY ${name} TO STDOUT;`)
    else shares.forEach((share, part) => share.push(copyRange(name, pages, part, connections)))
  })
  return shares.map((statements) => statements.join('\n'))
}

function copyRange(name: string, pages: number, part: number, of: number): string {
  const boundary = (at: number): number => Math.floor((pages * at) / of)
  const end = part + 1 === of ? '' : ` AND ctid < '(${boundary(part + 1)},0)'`
  return `COPY (SELECT * FROM ${name} WHERE ctid >= '(${boundary(part)},0)'${end}) TO STDOUT;`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

export function outputPath(directory: string): string {
  return join(directory, 'output')
}
