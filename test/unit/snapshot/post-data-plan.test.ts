import { expect, test } from 'vitest'
import { planPostData, relationsOf, type Job, type PostDataStep } from '../../../lambda/snapshot/post-data-plan.ts'
import { parseScript } from '../../../lambda/snapshot/sql-script.ts'

async function plan(postData: string, preData = ''): Promise<readonly PostDataStep[]> {
  const before = await parseScript('pre-data.sql', preData)
  const after = await parseScript('post-data.sql', postData)
  return planPostData(
    after.statements,
    relationsOf(before.statements, new Map([['s.big', { bytes: 1000, vacuum: 'VACUUM s.big' }]])),
  )
}

/** Which statements of the only step must wait for which, by their indexes. */
async function waits(postData: string, preData = ''): Promise<readonly (readonly number[])[]> {
  const steps = await plan(postData, preData)
  expect(steps).toHaveLength(1)
  expect(steps[0]?.kind).toBe('parallel')
  return jobsOf(steps[0]).map(({ after }) => after)
}

function jobsOf(step: PostDataStep | undefined): readonly Job[] {
  return step?.kind === 'parallel' ? step.jobs : []
}

test('builds the indexes of one table at the same time, after its primary key', async () => {
  expect(
    await waits(`
      ALTER TABLE ONLY s.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
      CREATE INDEX a_x ON s.a USING btree (x);
      CREATE UNIQUE INDEX a_y ON s.a USING btree (y);
      ALTER TABLE ONLY s.b ADD CONSTRAINT b_pkey PRIMARY KEY (id);`),
  ).toEqual([[], [0], [0], []])
})

test('adds one constraint at a time to a table, and a foreign key only once both tables are free', async () => {
  expect(
    await waits(`
      ALTER TABLE ONLY s.a ADD CONSTRAINT a_u UNIQUE (u);
      ALTER TABLE s.a ADD CONSTRAINT a_c CHECK (u > 0) NOT VALID;
      CREATE INDEX b_x ON s.b USING btree (x);
      ALTER TABLE ONLY s.b ADD CONSTRAINT b_a FOREIGN KEY (x) REFERENCES s.a(u);
      ALTER TABLE ONLY s.c ADD CONSTRAINT c_a FOREIGN KEY (x) REFERENCES s.a(u);
      ALTER TABLE ONLY s.d ADD CONSTRAINT d_e EXCLUDE USING gist (x WITH =);`),
  ).toEqual([[], [0], [], [1, 2], [3], []])
})

test('says something of an index or a constraint after it was made', async () => {
  expect(
    await waits(`
      ALTER TABLE ONLY s.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
      CREATE INDEX a_x ON s.a USING btree (lower(x));
      COMMENT ON INDEX s.a_x IS 'x';
      ALTER INDEX s.a_x ALTER COLUMN 1 SET STATISTICS 400;
      COMMENT ON CONSTRAINT a_pkey ON s.a IS 'x';
      ALTER TABLE s.a CLUSTER ON a_x;
      ALTER TABLE ONLY s.b REPLICA IDENTITY USING INDEX b_x;`),
  ).toEqual([[], [0], [1], [2], [0, 1], [3, 4], []])
})

const PARTITIONED = `
  CREATE TABLE s.p (id int) PARTITION BY RANGE (id);
  CREATE TABLE s.p1 (id int);
  CREATE TABLE s.p11 (id int);
  ALTER TABLE ONLY s.p ATTACH PARTITION s.p1 FOR VALUES FROM (0) TO (1);
  ALTER TABLE ONLY s.p1 ATTACH PARTITION s.p11 FOR VALUES FROM (0) TO (1);`

test('attaches an index once both are made, and one at a time within a family', async () => {
  expect(
    await waits(
      `
      CREATE INDEX p_x ON ONLY s.p USING btree (id);
      CREATE INDEX p1_x ON ONLY s.p1 USING btree (id);
      CREATE INDEX p11_x ON s.p11 USING btree (id);
      ALTER INDEX s.p1_x ATTACH PARTITION s.p11_x;
      ALTER INDEX s.p_x ATTACH PARTITION s.p1_x;`,
      PARTITIONED,
    ),
  ).toEqual([[], [], [], [0, 1, 2], [0, 3]])
})

test('counts the partitions of a table among what its constraints lock', async () => {
  expect(
    await waits(
      `
      CREATE INDEX p11_x ON s.p11 USING btree (id);
      ALTER TABLE s.p ADD CONSTRAINT p_a FOREIGN KEY (id) REFERENCES s.a(id);
      ALTER TABLE ONLY s.b ADD CONSTRAINT b_p FOREIGN KEY (id) REFERENCES s.p(id);
      CREATE INDEX p11_y ON s.p11 USING btree (id);`,
      PARTITIONED,
    ),
  ).toEqual([[], [0], [1], [2]])
})

test('counts the children of an inheritance tree likewise', async () => {
  const tree = 'CREATE TABLE s.a (id int); CREATE TABLE s.b (x int) INHERITS (s.a);'
  const constraints = 'CREATE INDEX b_x ON s.b USING btree (x); ALTER TABLE s.a ADD CONSTRAINT c CHECK (id > 0);'
  expect(await waits(constraints, tree)).toEqual([[], [0]])
})

test('keeps the order of everything else, by itself', async () => {
  const steps = await plan(`
    SELECT pg_catalog.set_config('search_path', '', false);
    CREATE INDEX a_x ON s.a USING btree (x);
    CREATE OR REPLACE VIEW s.v AS SELECT 1 AS n;
    CREATE TRIGGER t AFTER INSERT ON s.a FOR EACH ROW EXECUTE FUNCTION s.f();
    ALTER INDEX s.unknown ATTACH PARTITION s.a_x;
    CREATE INDEX b_x ON s.b USING btree (x);
    REFRESH MATERIALIZED VIEW s.m;`)

  const shapes = steps.map(
    (step) => `${step.kind} ${step.kind === 'serial' ? step.statements.length : step.jobs.length}`,
  )
  expect(shapes).toEqual(['parallel 1', 'serial 3', 'parallel 1', 'serial 1'])
})

test('gives each statement the settings that were in force where it stood', async () => {
  const [step] = await plan(`
    SET statement_timeout = 0;
    SELECT pg_catalog.set_config('default_tablespace', 'slow', false);
    SET default_tablespace = '';
    CREATE INDEX a_x ON s.a USING btree (x);
    SET default_tablespace = fast;
    CREATE INDEX big_x ON s.big USING btree (x);`)

  expect(jobsOf(step)).toMatchObject([
    { settings: ['SET statement_timeout = 0', `SET default_tablespace = ''`], weight: 0 },
    { settings: ['SET statement_timeout = 0', 'SET default_tablespace = fast'], weight: 1000 },
  ])
})

test('leaves a change of the user to the order of the script', async () => {
  const steps = await plan('SET SESSION AUTHORIZATION a; CREATE INDEX a_x ON s.a (x); RESET SESSION AUTHORIZATION;')
  expect(steps.map(({ kind }) => kind)).toEqual(['serial', 'parallel', 'serial'])
})

test('marks the pages of tables first whose foreign keys are checked, beside everything else', async () => {
  const [step, ...others] = await plan(`
    SELECT pg_catalog.set_config('search_path', '', false);
    ALTER TABLE ONLY s.big ADD CONSTRAINT big_pkey PRIMARY KEY (id);
    ALTER TABLE ONLY s.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
    ALTER TABLE ONLY s.a ADD CONSTRAINT a_big FOREIGN KEY (x) REFERENCES s.big(id);`)
  expect(others).toEqual([])
  expect(jobsOf(step).map(({ sql, after }) => [sql.split(' ').at(0), after])).toEqual([
    ['VACUUM', []],
    ['ALTER', [0]],
    ['ALTER', []],
    ['ALTER', [1, 2]],
  ])
  const [unchecked] = await plan('ALTER TABLE s.a ADD CONSTRAINT a_big FOREIGN KEY (x) REFERENCES s.big(id) NOT VALID;')
  expect(jobsOf(unchecked)).toHaveLength(1)
})
