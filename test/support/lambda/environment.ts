import { randomUUID } from 'node:crypto'
import { AWS } from '../aws.ts'
import type { FunctionDefinition } from './definition.ts'

/** Services by the name that the SDK uses in `AWS_ENDPOINT_URL_<NAME>`, such as `S3` or `SECRETS_MANAGER`. */
export type Endpoints = Readonly<Record<string, string>>

/** The variables of a container: the function's own and Lambda's, nothing of this process. */
export function containerEnvironment(
  definition: FunctionDefinition,
  taskRoot: string,
  endpoints: Endpoints,
): Record<string, string> {
  const { nodePath, environment } = definition.runtime ?? {}
  const services = Object.entries(endpoints).map(([name, url]) => [`AWS_ENDPOINT_URL_${name}`, url] as const)
  return {
    ...definition.environment,
    // Services that no test serves are refused at once, and never asked over the internet.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    ...Object.fromEntries(services),
    ...environment,
    ...(nodePath === undefined ? {} : { NODE_PATH: nodePath }),
    PATH: '/usr/local/bin:/usr/bin:/bin:/opt/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: definition.handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `2026/11/21/[$LATEST]${randomUUID().replaceAll('-', '')}`,
    AWS_REGION: AWS.region,
    AWS_DEFAULT_REGION: AWS.region,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  }
}

/** The flags with which Lambda starts Node: a heap that fits the function's memory. */
export function nodeArguments(definition: FunctionDefinition): readonly string[] {
  const newSpace = Math.floor(definition.memoryMb / 10)
  return [
    '--expose-gc',
    '--max-http-header-size=81920',
    `--max-semi-space-size=${Math.floor(newSpace / 2)}`,
    `--max-old-space-size=${definition.memoryMb - newSpace}`,
    ...(definition.runtime?.preload ?? []).map((script) => `--require=${script}`),
  ]
}
