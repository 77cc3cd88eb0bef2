import { arn } from '../aws.ts'

/** A function as it is deployed. */
export interface FunctionDefinition {
  readonly name: string
  /** Directory with the code. It is copied, as an upload does, so that nothing beside it can be reached from it. */
  readonly code: string
  /** `file.export`, such as `index.handler`. */
  readonly handler: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  readonly memoryMb: number
  /** What the real runtime or network has built in, and a test must add. @default {} */
  readonly runtime?: RuntimeAdditions
}

export interface RuntimeAdditions {
  /** Where `require` finds what the real runtime provides, such as `@aws-sdk/*`. */
  readonly nodePath?: string
  /** Scripts that run before the function's own code. */
  readonly preload?: readonly string[]
  /** Variables for the preloaded scripts. */
  readonly environment?: Readonly<Record<string, string>>
}

/** ARN of the function called `name`. */
export function functionArn(name: string): string {
  return arn('lambda', `function:${name}`)
}

/** The function's name in whatever the Invoke API accepts: a name, an ARN, either with a qualifier. */
export function functionName(nameOrArn: string): string {
  const parts = nameOrArn.split(':')
  const at = parts.indexOf('function')
  return (at === -1 ? parts[0] : parts[at + 1]) ?? nameOrArn
}
