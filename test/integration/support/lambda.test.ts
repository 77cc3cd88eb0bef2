import { setTimeout as delay } from 'node:timers/promises'
import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FunctionDefinition } from '../../support/lambda/definition.ts'
import { startLambda, type LambdaService } from '../../support/lambda/service.ts'
import { writeFiles } from '../../support/source-files.ts'

async function lambdaService(): Promise<LambdaService> {
  const lambda = await startLambda({ S3: 'http://127.0.0.1:1' })
  onTestFinished(() => lambda.stop())
  return lambda
}

async function serviceWith(
  handler: string,
  definition: Partial<FunctionDefinition> = {},
): Promise<{ readonly lambda: LambdaService; readonly invoke: (event?: unknown) => Promise<unknown> }> {
  const lambda = await lambdaService()
  await deploy(lambda, handler, definition)
  return { lambda, invoke: async (event = {}) => JSON.parse((await lambda.invoke('f', event)).payload) as unknown }
}

async function deploy(
  lambda: LambdaService,
  body: string,
  definition: Partial<FunctionDefinition> = {},
): Promise<void> {
  const code = await writeFiles({ 'index.mjs': `export async function handler(event, context) { ${body} }` })
  const defaults = { name: 'f', code, handler: 'index.handler', environment: {}, timeoutSeconds: 10, memoryMb: 256 }
  await lambda.deploy({ ...defaults, ...definition })
}

function client(lambda: LambdaService): LambdaClient {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const aws = new LambdaClient({ endpoint: lambda.endpoint, region: 'eu-central-1', credentials })
  onTestFinished(() => aws.destroy())
  return aws
}

describe('the environment of a function', () => {
  test('is the function’s own variables and Lambda’s, and nothing of this process', async () => {
    const { invoke } = await serviceWith('return Object.keys(process.env).sort()', { environment: { MINE: 'x' } })
    expect(await invoke()).toEqual(
      [
        '_HANDLER',
        '_X_AMZN_TRACE_ID',
        'AWS_ACCESS_KEY_ID',
        'AWS_DEFAULT_REGION',
        'AWS_ENDPOINT_URL',
        'AWS_ENDPOINT_URL_LAMBDA',
        'AWS_ENDPOINT_URL_S3',
        'AWS_EXECUTION_ENV',
        'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
        'AWS_LAMBDA_FUNCTION_NAME',
        'AWS_LAMBDA_FUNCTION_VERSION',
        'AWS_LAMBDA_INITIALIZATION_TYPE',
        'AWS_LAMBDA_LOG_GROUP_NAME',
        'AWS_LAMBDA_LOG_STREAM_NAME',
        'AWS_REGION',
        'AWS_SECRET_ACCESS_KEY',
        'LAMBDA_TASK_ROOT',
        'LANG',
        'MINE',
        'PATH',
        'TZ',
      ].toSorted(),
    )
  })

  test('has no packages but those that were deployed', async () => {
    const { invoke } = await serviceWith("return import('pg').then(() => 'found', (error) => error.code)")
    expect(await invoke()).toBe('ERR_MODULE_NOT_FOUND')
  })

  test('gives a context with the time that is left', async () => {
    const { invoke } = await serviceWith(
      'return { ...context, left: context.getRemainingTimeInMillis(), zone: new Date().getTimezoneOffset() }',
    )
    expect(await invoke()).toMatchObject({
      functionName: 'f',
      functionVersion: '$LATEST',
      memoryLimitInMB: '256',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:f',
      logGroupName: '/aws/lambda/f',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      left: expect.closeTo(10_000, -3),
      zone: 0,
    })
  })
})

describe('containers', () => {
  const COUNT = 'globalThis.n = (globalThis.n ?? 0) + 1;'

  test('are used again by a later invocation, but not by one at the same time', async () => {
    const { invoke } = await serviceWith(`${COUNT} await new Promise((r) => setTimeout(r, 200)); return globalThis.n`)
    expect(await invoke()).toBe(1)
    expect(await invoke()).toBe(2)
    expect(await Promise.all([invoke(), invoke()])).toEqual([3, 1])
  })

  test('stand still between invocations', async () => {
    const { invoke, lambda } = await serviceWith(
      "setTimeout(() => console.log('went on'), 100); console.log('answered')",
    )
    await invoke()
    await delay(500)
    expect(await lambda.logs()).toContain('answered')
    expect(await lambda.logs()).not.toContain('went on')
  })

  test('are replaced by a deployment, while what runs ends on the old code', async () => {
    const { invoke, lambda } = await serviceWith("await new Promise((r) => setTimeout(r, 500)); return 'old'")
    const running = invoke()
    await deploy(lambda, "return 'new'")
    expect(await invoke()).toBe('new')
    expect(await running).toBe('old')
  })
})

describe('a failed invocation', () => {
  test('that threw is reported like the real runtime does, in the answer and in the log', async () => {
    const { lambda } = await serviceWith("throw Object.assign(new RangeError('too far'), { hint: 'h1' })")
    const { payload, functionError } = await lambda.invoke('f', {})
    expect(functionError).toBe('Unhandled')
    expect(JSON.parse(payload)).toEqual({
      errorType: 'RangeError',
      errorMessage: 'too far',
      trace: expect.arrayContaining(['RangeError: too far', expect.stringMatching(/^ {4}at .*handler/)]),
    })
    expect(await lambda.logs('f')).toMatch(/ERROR\tInvoke Error \t.*"hint":"h1"/)
  })

  test('that ran out of time is killed', async () => {
    const { invoke, lambda } = await serviceWith("console.log('busy'); for (;;);", { timeoutSeconds: 0.5 })
    expect(await invoke()).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 0\.50 seconds$/),
    })
    expect(await lambda.logs()).toMatch(/busy\n[^]*Status: timeout/)
  })

  test('that ran out of memory is killed', async () => {
    const { invoke } = await serviceWith(
      'const kept = []; for (;;) { kept.push(Buffer.alloc(4e6, 1)); await new Promise((r) => setTimeout(r, 2)) }',
      { memoryMb: 128 },
    )
    expect(await invoke()).toEqual({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: expect.stringMatching(/Error: Runtime exited with error: signal: killed$/),
    })
  })

  test.each([
    ['process.exit(3)', 'Runtime.ExitError', /Runtime exited with error: exit status 3$/],
    ["process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})", 'Runtime.ExitError', /signal: killed$/],
    ["Promise.reject(new Error('lost')); await new Promise(() => {})", 'Runtime.UnhandledPromiseRejection', /lost$/],
    ["return 'x'.repeat(7e6)", 'Function.ResponseSizeTooLarge', /exceeded maximum allowed payload size/],
  ])('by %s says %s, and the next one works', async (body, errorType, errorMessage) => {
    const { invoke } = await serviceWith(`if (event.well) return 'well'; ${body}`)
    expect(await invoke()).toMatchObject({ errorType, errorMessage: expect.stringMatching(errorMessage) })
    expect(await invoke({ well: true })).toBe('well')
  })

  test('whose code cannot be loaded says so', async () => {
    const { invoke } = await serviceWith('', { handler: 'other.handler' })
    expect(await invoke()).toMatchObject({ errorType: 'Runtime.ImportModuleError' })
  })

  test('whose machine is lost ends at once', async () => {
    const { invoke, lambda } = await serviceWith(
      "console.log('up'); await new Promise(() => setTimeout(() => {}, 1e6))",
    )
    const running = invoke()
    while (!(await lambda.logs()).includes('up')) await delay(20)
    await lambda.crash('f')
    expect(await running).toMatchObject({ errorType: 'Runtime.ExitError' })
  })
})

describe('the HTTP interface', () => {
  test('invokes by name and by ARN, and marks errors in the header', async () => {
    const { lambda } = await serviceWith("if (event.bad) throw new Error('bad'); return { got: event.n }")
    const aws = client(lambda)
    const good = await aws.send(new InvokeCommand({ FunctionName: 'f', Payload: JSON.stringify({ n: 1 }) }))
    const bad = await aws.send(
      new InvokeCommand({
        FunctionName: 'arn:aws:lambda:eu-central-1:111122223333:function:f',
        Payload: JSON.stringify({ bad: true }),
      }),
    )
    expect([good.FunctionError, good.Payload?.transformToString()]).toEqual([undefined, '{"got":1}'])
    expect(bad.FunctionError).toBe('Unhandled')
  })

  test('describes a function, and refuses one that does not exist', async () => {
    const { lambda } = await serviceWith('return 1')
    const aws = client(lambda)
    const found = await aws.send(new GetFunctionCommand({ FunctionName: 'f' }))
    expect(found.Configuration).toMatchObject({ State: 'Active', MemorySize: 256 })
    await expect(aws.send(new InvokeCommand({ FunctionName: 'g' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  test('can lose the connection after the function has run: a client then invokes it again', async () => {
    const { lambda } = await serviceWith('return 1')
    lambda.dropConnections('f', 1)
    const answer = await client(lambda).send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }))
    expect(answer.Payload?.transformToString()).toBe('1')
    expect(lambda.invocations('f')).toHaveLength(2)
  })
})
