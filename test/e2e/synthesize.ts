import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { arn } from '../support/aws.ts'
import { readAssembly, type Assembly } from '../support/cloudformation/assembly.ts'
import type { SynthesisReply, SynthesisRequest } from './synthesizer.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
/** The app that `cdk.json` names. */
export const PROJECT_APP = new URL('../../infra/app.ts', import.meta.url)
const SYNTHESIZER = fileURLToPath(new URL('synthesizer.ts', import.meta.url))

/** The secret that the synthesized app refers to. */
export const SECRET_ARN = arn('secretsmanager', 'secret:shop/database-AbCdEf')
/** That of another database, for apps that have two. */
export const OTHER_SECRET_ARN = arn('secretsmanager', 'secret:billing/database-AbCdEf')

/** Context of an app, as `cdk synth -c key=value` gives it. */
export type Context = Readonly<Record<string, string>>

/** An existing database in an existing network; host, port and name are the secret's. */
const CONTEXT: Context = {
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

/** Synthesizes an app as `cdk synth` does, without any AWS account. */
export async function synthesize(context: Context, app = PROJECT_APP): Promise<Synthesized> {
  const output = await mkdtemp(join(tmpdir(), 'lockstep-assembly-'))
  const { context: settings } = JSON.parse(await readFile(join(PROJECT, 'cdk.json'), 'utf8')) as { context: object }
  await runApp(app, output, JSON.stringify({ ...settings, ...CONTEXT, ...context }))
  return { assembly: await readAssembly(output), remove: () => rm(output, { recursive: true, force: true }) }
}

let synthesizer: ChildProcess | null = null
let requests = 0
/** The end of what the app has written: its warnings, and why it failed. */
let said = ''

function runApp(app: URL, output: string, context: string): Promise<void> {
  const child = synthesizer ?? startSynthesizer()
  requests += 1
  const request = { id: requests, app: app.href, output, context } satisfies SynthesisRequest
  return new Promise((resolve, reject) => {
    const listen = (reply: SynthesisReply): void => {
      if (reply.id !== request.id) return
      child.off('message', listen)
      child.off('exit', fail)
      if (reply.error === null) resolve()
      else reject(new Error(`${reply.error}\n${said}`))
    }
    const fail = (): void => reject(new Error(`The process that synthesizes has ended: ${said}`))
    child.on('message', listen)
    child.once('exit', fail)
    child.send(request)
  })
}

/** Ends with this process. */
function startSynthesizer(): ChildProcess {
  const child = fork(SYNTHESIZER, {
    cwd: PROJECT,
    execPath: process.execPath,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  child.setMaxListeners(0)
  child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString('utf8')).slice(-4000)))
  child.unref()
  child.channel?.unref()
  ;(child.stderr as Socket | null)?.unref()
  synthesizer = child
  return child
}
