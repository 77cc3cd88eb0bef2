import { randomUUID } from 'node:crypto'
import { freePort } from '../../cli/embedded-process.ts'
import { SECRET_ARN } from '../e2e/synthesize.ts'
import type { DescribeMode } from '../support/cloudformation/describe-stacks.ts'
import type { Stack } from '../support/cloudformation/stack-types.ts'
import { rowsOf } from '../support/scratch-database.ts'
import type { Step } from './scenario.ts'
import type { Stage } from './stage.ts'

/** How CloudFormation meets those who ask for the status of a stack, from now on. */
export function describeStacks(mode: DescribeMode): Step {
  return async ({ world }) => world.cloudFormation.describe(mode)
}

/** From now on the secret names a port at which nothing listens. */
export const loseDatabase: Step = async ({ world }) => {
  world.secrets.put(SECRET_ARN, JSON.stringify({ ...world.credentials, port: await freePort() }))
}

/** The secret names the database again. */
export const findDatabase: Step = async ({ world }) => {
  world.secrets.put(SECRET_ARN, JSON.stringify(world.credentials))
}

/** Secrets Manager does not answer any more: there is no endpoint for it in the subnet. */
export const hideSecrets: Step = async ({ world }) => world.secrets.hang(true)

/** S3 does not answer functions that are deployed from now on. */
export const loseBucket: Step = async ({ world }) =>
  world.lambda.connect({ S3: `http://127.0.0.1:${await freePort()}` })

/** A new password, in the database and in the secret. */
export const rotatePassword: Step = async (stage) => {
  stage.world.secrets.put(SECRET_ARN, await newSecret(stage))
}

/** A new password, in the secret only when the old one has been read once more. */
export const rotateAfterNextRead: Step = async (stage) => {
  stage.world.secrets.putAfterRead(SECRET_ARN, await newSecret(stage))
}

/** A rotation that has set the new password, and has not ended: what is current does not fit any more. */
export const beginRotation: Step = async (stage) => {
  stage.world.secrets.putPending(SECRET_ARN, await newSecret(stage))
}

async function newSecret({ world, secretTexts, server }: Stage): Promise<string> {
  const { username } = world.credentials
  const password = `canary-${randomUUID().replaceAll('-', '')}`
  secretTexts.push(password)
  await rowsOf(server.url, `ALTER ROLE ${username} PASSWORD '${password}'`)
  return JSON.stringify({ ...world.credentials, password })
}

/** The server ends at once, and is back a second later. */
export const restartServer: Step = ({ server }) => server.restart(1000)

/** The server comes back as a replica, as when the secret names a reader endpoint. */
export const becomeReplica: Step = ({ server }) => server.becomeReplica()

/** The next call of the migration function is made, but its answer is lost. */
export const dropConnection: Step = async ({ world }) => {
  for (const name of world.migrationFunctions()) world.lambda.dropConnections(name, 1)
}

/** The next answer to CloudFormation is lost on the way: nobody hears what the function has done. */
export const loseAnswer: Step = async ({ world }) => world.cloudFormation.loseAnswers(1)

/** Somebody deletes the Provider framework's functions: CloudFormation's events reach nobody any more. */
export const deleteFramework: Step = async ({ world, stacks }) => {
  for (const token of calledTokens(stacks())) await world.lambda.remove(token)
}

/** Kills the migration function in mid-run. */
export const crashFunction: Step = async ({ world }) => {
  for (const name of world.migrationFunctions()) await world.lambda.crash(name)
}

/** Kills the Provider framework's function that waits for the migration function. */
export const crashFramework: Step = async ({ world, stacks }) => {
  for (const token of calledTokens(stacks())) await world.lambda.crash(token)
}

function calledTokens(stacks: readonly Stack[]): ReadonlySet<string> {
  return new Set(stacks.flatMap((stack) => stack.responses().map(({ event }) => event.ServiceToken)))
}
