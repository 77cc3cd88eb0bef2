import { beforeAll, expect, test } from 'vitest'
import { questionsOf } from '../../../../lambda/engine/policy/data-questions.ts'
import { loadParser } from '../../../../lambda/engine/migration/statements.ts'

beforeAll(() => loadParser())

const asked = (sql: string): readonly string[] =>
  questionsOf(sql).map((lookup) => (lookup.kind === 'question' ? lookup.question.sql : lookup.kind))

test.each([
  ['ALTER TABLE s.t ALTER a SET NOT NULL', ['SELECT FROM "s"."t" WHERE "a" IS NULL']],
  [
    'ALTER TABLE t ADD UNIQUE (a, b)',
    ['SELECT FROM "t" WHERE "a" IS NOT NULL AND "b" IS NOT NULL GROUP BY "a", "b" HAVING pg_catalog.count(*) > 1'],
  ],
  ['ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)', ['SELECT FROM "t" GROUP BY "a" HAVING pg_catalog.count(*) > 1']],
  ["ALTER TABLE é ADD CHECK (a <> ')' AND (b > 0))", [`SELECT FROM "é" WHERE NOT (a <> ')' AND (b > 0))`]],
  ['ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o', ['primary-key']],
  ['ALTER TABLE t VALIDATE CONSTRAINT c', ['constraint']],
  ['ALTER TABLE t ADD COLUMN a int NOT NULL', ['SELECT FROM "t"']],
  [
    'CREATE UNIQUE INDEX CONCURRENTLY ON t (a)',
    ['SELECT FROM "t" WHERE "a" IS NOT NULL GROUP BY "a" HAVING pg_catalog.count(*) > 1'],
  ],
])('%s asks', (sql, questions) => {
  expect(asked(sql)).toEqual(questions)
})

test.each([
  'ALTER TABLE t ADD CHECK (a > 0) NOT VALID',
  'ALTER TABLE t ADD UNIQUE USING INDEX i',
  'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o (id) MATCH FULL',
  'ALTER TABLE t ADD COLUMN a bigserial NOT NULL',
  "ALTER TABLE t ADD COLUMN a text NOT NULL DEFAULT ''",
  'CREATE UNIQUE INDEX ON t (lower(a))',
  'CREATE UNIQUE INDEX ON t (a) WHERE b',
  'CREATE INDEX ON t (a)',
  'UPDATE t SET a = 1',
])('%s asks nothing', (sql) => {
  expect(asked(sql)).toEqual([])
})
