import { Logger } from '@aws-lambda-powertools/logger'
import type { Log, MetricName } from '../log.ts'

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
    // Past the console, around which Lambda may put JSON of its own.
    metric: (name, value) => void process.stdout.write(`${metricLine(context.set, name, value)}\n`),
  }
}

/** CloudWatch makes a metric of a line in its Embedded Metric Format. */
function metricLine(set: string, name: MetricName, value: number): string {
  const directive = { Namespace: 'Lockstep', Dimensions: [['Set']], Metrics: [{ Name: name, Unit: 'Count' }] }
  return JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, Set: set, [name]: value })
}
