import { beforeAll, describe, expect, it } from 'vitest'
import { invalidMigration, type Report } from '../../../../lambda/engine/migration/invalid.ts'
import { buildGraph } from '../../../../lambda/engine/plan/migration-graph.ts'
import { parseSqlMigration } from '../../../../lambda/engine/migration/sql-migration.ts'
import { loadParser, splitQuestions, splitSection } from '../../../../lambda/engine/migration/statements.ts'
import { parseTypeScriptMigration } from '../../../../lambda/engine/migration/typescript-migration.ts'
import { fileOf } from '../../../support/engine.ts'

/** Messages without the file's name. */
function collected(work: (report: Report) => void): readonly string[] {
  const messages: string[] = []
  work((problem) => messages.push(problem.report.message.replace(/^1_a\.(?:sql|ts),? ?:? ?/, '')))
  return messages
}

describe('a listener hears of every problem', () => {
  beforeAll(loadParser)

  it('of the directives and sections of a file', () => {
    const source = '-- lockstep:befor x\n-- lockstep:lock-timeout soon\nSELECT 0;\n-- migrate:up now\n-- migrate:dwn\n'
    expect(
      collected((report) => parseSqlMigration({ migration: '1_a', file: '1_a.sql', source, checksum: '' }, report)),
    ).toEqual([
      'line 1: the directive lockstep:befor is not known.',
      'line 2: the directive lockstep:lock-timeout has "soon", which is no duration such as 500ms, 2s or 10min.',
      'line 3: there is SQL above the first "-- migrate:up".',
      'line 4: the option "now" of migrate:up is not known.',
      'line 5: the section "migrate:dwn" is not known.',
    ])
  })

  it('of the statements, also behind one that does not parse', () => {
    const migration = fileOf(
      '1_a',
      `-- migrate:up
CREATE TABLE a (id int;
SELECT 'ä' FORM b;
VACUUM;
COPY a FROM stdin;
SELECT 1; COMMIT;
-- migrate:verify
DELETE FROM a;
SELECT true INTO x;
SELECT true;
`,
    )
    expect(collected((report) => splitSection(migration, migration.up, report))).toEqual([
      'line 2: syntax error at or near ";".',
      'line 3: syntax error at or near "b".',
      'line 5: COPY … FROM STDIN has no data to read in a migration.',
      'line 4: VACUUM cannot run inside a transaction, and the file does not declare transaction:false.',
      'line 6: BEGIN, COMMIT or ROLLBACK cannot run inside a transaction, and the file does not declare transaction:false.',
    ])
    expect(collected((report) => splitQuestions(migration, migration.verify, report))).toEqual([
      'line 8: this is no query.',
      'line 9: this is no query.',
    ])
  })

  it('of the exports of a TypeScript migration', () => {
    const exports = { up: () => {}, down: 1, foo: 2, lockTimeout: 'soon', after: [1], allow: 'x', breaking: '' }
    expect(
      collected((report) =>
        parseTypeScriptMigration({ migration: '1_a', file: '1_a.ts', source: '', checksum: '', exports }, report),
      ),
    ).toEqual([
      'it exports foo, which is not known.',
      '"down" is not a function.',
      '"after" is not a list of ids.',
      '"breaking" is not a text.',
      '"allow" is not an object of hazard: reason.',
      '"lockTimeout" is "soon", which is no duration such as 2s.',
    ])
  })

  it('of parents, and still has an order', () => {
    const files = [
      fileOf('1', '-- lockstep:after 3\n-- migrate:up\n'),
      fileOf('2', '-- lockstep:after nope\n-- migrate:up\n'),
      fileOf('3', '-- lockstep:after 1\n-- migrate:up\n'),
    ]
    const problems: string[] = []
    const graph = buildGraph(files, (problem) => problems.push(problem.report.message))
    expect(problems).toEqual([
      '2.sql: it comes after "nope", which is not in the set.',
      '1.sql: 1, 3 come after each other in a circle.',
    ])
    expect(graph.ordered.map(({ migration }) => migration.id).toSorted()).toEqual(['1', '2', '3'])
  })

  it('and without one the first is thrown', () => {
    const file = { migration: '1_a', file: '1_a.sql' }
    expect(() => parseSqlMigration({ ...file, source: '-- lockstep:x y\n-- migrate:z', checksum: '' })).toThrow(
      invalidMigration({ ...file, line: 1, message: 'the directive lockstep:x is not known.', remedy: '' }).message,
    )
  })
})
