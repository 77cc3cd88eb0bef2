import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { arn } from '../support/aws.ts'
import { readAssembly, type Assembly } from '../support/cloudformation/assembly.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const CDK = fileURLToPath(new URL('../../node_modules/aws-cdk/bin/cdk', import.meta.url))

/** The secret that the synthesized app refers to. */
export const SECRET_ARN = arn('secretsmanager', 'secret:shop/database-AbCdEf')

/** An existing database in an existing network; host, port and name are the secret's. */
const CONTEXT: Readonly<Record<string, string>> = {
  stackName: 'Shop',
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: 'eu-central-1a',
  subnetIds: 'subnet-0123456789abcdef0',
  securityGroupIds: 'sg-0123456789abcdef0',
  secretArn: SECRET_ARN,
  tls: 'disable',
}

export interface Synthesized {
  readonly assembly: Assembly
  readonly remove: () => Promise<void>
}

/** Runs `cdk synth` on the project's app, without any AWS account. */
export async function synthesize(migrations: string): Promise<Synthesized> {
  const output = await mkdtemp(join(tmpdir(), 'lockstep-assembly-'))
  const context = Object.entries({ ...CONTEXT, migrations }).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const args = [CDK, 'synth', '--quiet', '--no-notices', '--no-lookups', '--output', output, ...context]
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT })
  return { assembly: await readAssembly(output), remove: () => rm(output, { recursive: true, force: true }) }
}
