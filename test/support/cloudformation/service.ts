import type { LambdaService } from '../lambda/service.ts'
import { startResponseServer } from './response-server.ts'
import type { Stack, StackOptions } from './stack-types.ts'
import { createStack } from './stack.ts'

/** A CloudFormation service whose stacks share the functions of one Lambda service. */
export interface CloudFormation {
  readonly createStack: (options: StackOptions) => Stack
  readonly stop: () => Promise<void>
}

/** Starts the service; custom resources answer to its one server, so that stacks can use each other's functions. */
export async function startCloudFormation(lambda: LambdaService): Promise<CloudFormation> {
  const responses = await startResponseServer()
  return { createStack: (options) => createStack(options, lambda, responses), stop: responses.stop }
}
