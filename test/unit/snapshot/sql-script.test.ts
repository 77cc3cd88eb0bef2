import { expect, test } from 'vitest'
import { parseScript } from '../../../lambda/snapshot/sql-script.ts'

async function splitScript(name: string, sql: string): Promise<readonly string[]> {
  return (await parseScript(name, sql)).statements.map((statement) => statement.sql)
}

test('splits by the grammar, not by semicolons', async () => {
  const script = `--
-- Name: f; Type: FUNCTION
--

CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT ';'; SELECT 'ü;'; END;


CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $_$ BEGIN; -- it's
END $_$;
COMMENT ON FUNCTION f() IS 'über; --';

-- the end
`
  expect(await splitScript('pre-data.sql', script)).toEqual([
    `CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT ';'; SELECT 'ü;'; END`,
    `CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $_$ BEGIN; -- it's\nEND $_$`,
    `COMMENT ON FUNCTION f() IS 'über; --'`,
  ])
})

test('finds nothing in a script without statements', async () => {
  expect(await splitScript('sequences.sql', '')).toEqual([])
  expect(await splitScript('post-data.sql', '\n--\n-- nothing\n--\n')).toEqual([])
})

test('names the script that cannot be parsed', async () => {
  await expect(splitScript('pre-data.sql', 'SELECT 1; NOT SQL')).rejects.toThrow(
    'pre-data.sql cannot be parsed: syntax error',
  )
})

test('splits a script longer than a piece in the same way, wherever its pieces end', async () => {
  const body = 'SELECT 1;\n'.repeat(20_000)
  const statements = [
    `CREATE FUNCTION long() RETURNS void LANGUAGE sql AS $$\n${body}$$`,
    `CREATE FUNCTION atomic() RETURNS void LANGUAGE sql BEGIN ATOMIC\n${body}END`,
    `COMMENT ON TABLE t IS 'ü;\n${body}'`,
    ...Array.from({ length: 5000 }, (_, index) => `CREATE TABLE t${index} (\n    id integer,\n    "name;" text\n)`),
  ]
  expect(
    await splitScript(
      'pre-data.sql',
      statements.map((statement) => `${statement};\n\n\n--\n-- Name: x\n--\n\n`).join(''),
    ),
  ).toEqual(statements)
})
