/**
 * The Node.js runtime inside a container: loads the handler, then answers invocations that arrive over IPC.
 * Plain JavaScript, because stripping types would use up a third of a small function's memory.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { env } from 'node:process'
import { pathToFileURL } from 'node:url'

const SUFFIXES = ['.js', '.mjs', '.cjs']

process.on('disconnect', () => process.exit())
process.on('uncaughtException', (error) => {
  console.error(`ERROR\tUncaught Exception \t${formatted(error)}`)
  send({ type: 'fatal', payload: JSON.stringify(described(error)) }, () => process.exit(129))
})
process.on('unhandledRejection', (reason) => {
  const error = new Error(String(reason))
  error.name = 'Runtime.UnhandledPromiseRejection'
  console.error(`ERROR\tUnhandled Promise Rejection \t${formatted(error)}`)
  send({ type: 'fatal', payload: JSON.stringify(described(error)) }, () => process.exit(128))
})

const handler = await load(env.LAMBDA_TASK_ROOT, env._HANDLER).catch((error) => {
  console.error(`ERROR\tUncaught Exception \t${formatted(error)}`)
  send({ type: 'fatal', payload: JSON.stringify(described(error)) }, () => process.exit(1))
})
if (handler) {
  process.on('message', (invocation) => void invoke(invocation))
  send({ type: 'ready' })
}

async function invoke(invocation) {
  env._X_AMZN_TRACE_ID = invocation.traceId
  try {
    const result = await handler(JSON.parse(invocation.payload), contextOf(invocation))
    send({ type: 'result', payload: JSON.stringify(result) ?? 'null' })
  } catch (error) {
    console.error(`ERROR\tInvoke Error \t${formatted(error)}`)
    send({ type: 'error', payload: JSON.stringify(described(error)) })
  }
}

function contextOf({ requestId, deadline, functionArn }) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: requestId,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}

/** `directory/index.handler`: what is before the first dot of the last part is the file. */
async function load(root, name) {
  const [, file, path] = /^([^.]*)\.(.*)$/.exec(basename(name)) ?? []
  if (!file) throw failure('Runtime.MalformedHandlerName', 'Bad handler')
  const base = join(resolve(root, dirname(name)), file)
  const suffix = SUFFIXES.find((suffix) => existsSync(base + suffix))
  if (!suffix) throw failure('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`)
  const module = await loadModule(base + suffix)
  const found = path.split('.').reduce((value, key) => value?.[key], module)
  if (typeof found !== 'function') throw failure('Runtime.HandlerNotFound', `${name} is undefined or not exported`)
  return found
}

async function loadModule(file) {
  try {
    return file.endsWith('.mjs') ? await import(pathToFileURL(file).href) : createRequire(file)(file)
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND' && error?.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw failure('Runtime.ImportModuleError', `Error: ${error.message}`)
  }
}

function failure(name, message) {
  const error = new Error(message)
  error.name = name
  return error
}

/** What the caller of the function receives for a thrown value. */
function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}

/** What the log receives for a thrown value: as in Lambda, everything that hangs on the error. */
function formatted(error) {
  return JSON.stringify(error, (_key, value) =>
    value instanceof Error
      ? Object.assign({ errorType: value.name, errorMessage: value.message }, value, {
          stack: value.stack?.split('\n'),
        })
      : value,
  )
}

function send(message, done = () => {}) {
  process.send(message, undefined, {}, done)
}
