import type { Demonstration, Deployment } from './scenario.ts'

/** The demonstration as plain data: each deployment is the run's result and what was found about it. */
export function documentOf({ before, after, deployments }: Demonstration): Readonly<Record<string, unknown>> {
  return { deployments: deployments.map(deploymentDocument), status: { before, after } }
}

function deploymentDocument({ run, schema }: Deployment): Readonly<Record<string, unknown>> {
  if (schema === null) return { ...run }
  const { before, after } = schema
  return {
    ...run,
    schemaUnchanged: before.sql === after.sql,
    schema: {
      before: { sha256: before.sha256, bytes: before.bytes },
      after: { sha256: after.sha256, bytes: after.bytes },
    },
  }
}

/** Whether all three deployments went as they should. */
export function wentWell({ before, deployments }: Demonstration): boolean {
  const [first, second, third] = deployments
  return (
    first?.run.status === 'succeeded' &&
    first.run.applied.length === before.pending.length &&
    first.snapshot !== null &&
    second?.run.status === 'succeeded' &&
    second.run.applied.length === 0 &&
    third?.run.status === 'failed' &&
    third.run.error?.code === 'MIGRATION_FAILED' &&
    third.run.rolledBack === true &&
    third.schema !== null &&
    third.schema.before.sql === third.schema.after.sql
  )
}
