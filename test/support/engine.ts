import { randomUUID } from 'node:crypto'
import { systemClock } from '../../lambda/adapters/clock.ts'
import { connect } from '../../lambda/adapters/postgres.ts'
import type { EngineContext } from '../../lambda/engine/context.ts'
import { checksumOf, normalise } from '../../lambda/engine/migration/migration-directory.ts'
import type { MigrationFunction, SqlMigration, TypeScriptMigration } from '../../lambda/engine/migration/migration.ts'
import { parseRepeatable, parseSqlMigration } from '../../lambda/engine/migration/sql-migration.ts'
import { parseTypeScriptMigration } from '../../lambda/engine/migration/typescript-migration.ts'
import { silentLog } from '../../lambda/log.ts'
import type { TestDatabase } from './database.ts'

/** An engine on a test database, with whatever differs from the defaults. */
export function engineFor(database: TestDatabase, overrides: Partial<EngineContext> = {}): EngineContext {
  return {
    connect: () => connect({ endpoint: database.endpoint, applicationName: 'lockstep under test', budgetMs: 5000 }),
    set: 'default',
    schema: 'lockstep',
    scope: 'run',
    trigger: 'cli',
    appliedBy: 'test',
    version: '0.0.0-test',
    lockTimeoutMs: 5000,
    remainingMs: () => Infinity,
    shouldPause: () => false,
    newRunId: randomUUID,
    clock: systemClock,
    log: silentLog,
    ...overrides,
  }
}

/** A SQL migration from the text of its file. */
export function fileOf(id: string, text: string): SqlMigration {
  const source = normalise(text)
  return parseSqlMigration({ migration: id, file: `${id}.sql`, source, checksum: checksumOf(source) })
}

/** A file of `repeatable/` from its text. */
export function repeatable(name: string, text: string): SqlMigration {
  const source = normalise(text)
  const id = `repeatable/${name}`
  return parseRepeatable({ migration: id, file: `${id}.sql`, source, checksum: checksumOf(source) })
}

/** A SQL migration from its up and its down. */
export function sql(
  id: string,
  up: string,
  down?: string,
  options: { readonly transaction?: boolean } = {},
): SqlMigration {
  const mark = options.transaction === false ? ' transaction:false' : ''
  const text = `-- migrate:up${mark}\n${up}\n${down === undefined ? '' : `-- migrate:down${mark}\n${down}\n`}`
  return fileOf(id, text)
}

/** A TypeScript migration from its functions; `source` is what the history keeps. */
export function code(
  id: string,
  exports: {
    readonly up: MigrationFunction
    readonly down?: MigrationFunction
    readonly transaction?: boolean
    readonly lockTimeout?: string
  },
  source = `// ${id}`,
): TypeScriptMigration {
  return parseTypeScriptMigration({ migration: id, file: `${id}.ts`, source, checksum: checksumOf(source), exports })
}
