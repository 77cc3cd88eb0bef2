import { Logger } from '@aws-lambda-powertools/logger'
import type { Log } from '../log.ts'

/** Structured JSON on CloudWatch Logs, with the request's ids. */
export function createLambdaLog(context: { readonly awsRequestId: string; readonly set: string }): Log {
  const logger = new Logger({
    serviceName: 'lockstep',
    persistentKeys: { function_request_id: context.awsRequestId, set: context.set },
  })
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
    error: (message, fields) => logger.error(message, { ...fields }),
  }
}
