import { startHttpServer } from '../http-server.ts'
import type { LambdaService } from '../lambda/service.ts'
import type { StepFunctions } from '../step-functions/service.ts'
import { answerQuery, type DescribeMode } from './describe-stacks.ts'
import { startResponseServer } from './response-server.ts'
import type { StackDescription } from './stack-description.ts'
import type { Stack, StackOptions } from './stack-types.ts'
import { createStack } from './stack.ts'

/** A CloudFormation service whose stacks share the functions of one Lambda service. */
export interface CloudFormation {
  /** Serves DescribeStacks; functions find it after `lambda.connect({ CLOUDFORMATION: endpoint })`. */
  readonly endpoint: string
  readonly createStack: (options: StackOptions) => Stack
  /** From now on DescribeStacks answers, refuses, or is out of reach. @default 'answers' */
  readonly describe: (mode: DescribeMode) => void
  /** The next `count` answers of custom resources are lost on the way. */
  readonly loseAnswers: (count: number) => void
  readonly stop: () => Promise<void>
}

export interface CloudFormationOptions {
  /** Runs the state machines of the templates. @default none: they are only names */
  readonly stepFunctions?: StepFunctions
}

/** Starts the service; custom resources answer to its one server, so that stacks can use each other's functions. */
export async function startCloudFormation(
  lambda: LambdaService,
  { stepFunctions }: CloudFormationOptions = {},
): Promise<CloudFormation> {
  const responses = await startResponseServer()
  const stacks: (() => readonly StackDescription[])[] = []
  let mode: DescribeMode = 'answers'
  const server = await startHttpServer(async (request) =>
    answerQuery(
      request,
      stacks.flatMap((describe) => describe()),
      mode,
    ),
  )
  return {
    endpoint: server.endpoint,
    createStack: (options) => {
      const { stack, describe } = createStack(options, { lambda, responses, stepFunctions })
      stacks.push(describe)
      return stack
    },
    loseAnswers: responses.lose,
    describe: (wanted) => void (mode = wanted),
    stop: async () => void (await Promise.all([responses.stop(), server.stop()])),
  }
}
