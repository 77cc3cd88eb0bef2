import { expectRows } from './expectations.ts'
import { whileMigrating } from './flow.ts'
import type { Step, Theme } from './scenario.ts'
import { deploy } from './steps.ts'

/** The database before: texts of files by their names, in the order in which they are applied. */
const BEFORE = {
  '20260101000000_create_parcels.sql': `
-- migrate:up
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
INSERT INTO parcels VALUES (1, 250);
-- migrate:down
DROP TABLE parcels;
`,
}

/** A migration that waits in pg_sleep is at work long enough for something to happen meanwhile. */
const AFTER = {
  ...BEFORE,
  '20260102000000_weigh_in_grams.sql': `
-- migrate:up
ALTER TABLE parcels ADD COLUMN grams integer;
SELECT pg_sleep(1);
-- migrate:down
ALTER TABLE parcels DROP COLUMN grams;
`,
}

/** Any function of the stage is a step: this one sends a parcel while the migration is at work. */
const sendParcel: Step = async ({ world }) => {
  await world.database.rows('INSERT INTO parcels (id, weight) VALUES (2, 40) ON CONFLICT DO NOTHING')
}

const unsendParcel: Step = async ({ world }) => {
  await world.database.rows('DELETE FROM parcels WHERE id = 2')
}

/** And so is this: what it does not find is a problem, with which the scenario fails. */
const expectOneRevert: Step = async ({ deployments, problems }) => {
  const reverted = deployments.at(-1)?.responses.at(-1)?.data['Reverted']
  if (reverted !== '1') problems.push(`the rollback reverted ${String(reverted)} migrations in place of 1`)
}

/** Shows how scenarios are written; README.md beside it explains it. */
export const EXAMPLE: Theme = {
  name: 'example',
  scenarios: [
    {
      title: 'a row that is written during a deployment outlives its rollback',
      old: BEFORE,
      new: AFTER,
      steps: [
        deploy(BEFORE),
        whileMigrating(deploy(AFTER, { failLater: true }), sendParcel),
        expectOneRevert,
        expectRows('SELECT id::int FROM parcels ORDER BY id', [{ id: 1 }, { id: 2 }]),
        unsendParcel,
      ],
      expected: { stackStatus: 'UPDATE_ROLLBACK_COMPLETE', state: 'old', calls: ['Update SUCCESS', 'Update SUCCESS'] },
    },
  ],
}
