import { Aws } from 'aws-cdk-lib'
import type { SnapshotWorkEvent } from '../lambda/snapshot-work-event.ts'

export interface SnapshotMachineInput {
  readonly functionArn: string
  readonly bucketName: string
  /** Items that are copied at the same time. */
  readonly concurrency: number
}

/** Whatever an invocation failed of may pass: it is idempotent. */
const RETRY = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 }]
/** A lost session is replaced at once: what the other one holds does not wait. */
const RETRY_SOON = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }]

/**
 * The definition of the state machine, in the Amazon States Language. Three branches: one copies the items of the work
 * list and ends the copy; two hold the consistent view in turns.
 *
 * Its input: `prefix` of the snapshot within the store, `numbersKey` of the list of items within the bucket.
 */
export function snapshotMachineDefinition(input: SnapshotMachineInput): object {
  return {
    Comment: 'Copies the items of a work list under one consistent view of a database.',
    // No run takes longer: CloudFormation does not wait longer than an hour.
    TimeoutSeconds: 75 * 60,
    StartAt: 'Snapshot',
    States: {
      Snapshot: { Type: 'Parallel', Branches: [copying(input), holding(input, 1), holding(input, 2)], End: true },
    },
  }
}

function copying({ functionArn, bucketName, concurrency }: SnapshotMachineInput): object {
  const task = (work: object): object => ({ Type: 'Task', Resource: functionArn, Parameters: work, Retry: RETRY })
  return {
    StartAt: 'Copy all',
    States: {
      'Copy all': {
        Type: 'Map',
        ItemReader: {
          Resource: `arn:${Aws.PARTITION}:states:::s3:getObject`,
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { Bucket: bucketName, 'Key.$': '$.numbersKey' },
        },
        ItemSelector: ofPrefix('copy', { 'item.$': '$$.Map.Item.Value' }),
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Copy',
          States: { Copy: { Type: 'Task', Resource: functionArn, Retry: RETRY, End: true } },
        },
        MaxConcurrency: concurrency,
        ToleratedFailurePercentage: 0,
        ResultPath: null,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Give up' }],
        Next: 'End',
      },
      End: { ...task(ofPrefix('end')), ResultPath: '$.end', Next: 'Ended?' },
      'Ended?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.end.done', BooleanEquals: true, Next: 'Ended' }],
        Default: 'Wait for who holds the view',
      },
      'Wait for who holds the view': { Type: 'Wait', Seconds: 5, Next: 'End' },
      Ended: { Type: 'Succeed' },
      'Give up': { ...task(ofPrefix('give-up')), ResultPath: '$.end', Next: 'Failed' },
      Failed: { Type: 'Fail', Error: 'SnapshotFailed', Cause: 'An item of the work list could not be copied.' },
    },
  }
}

function holding({ functionArn }: SnapshotMachineInput, slot: 1 | 2): object {
  return {
    StartAt: `Hold ${slot}`,
    States: {
      [`Hold ${slot}`]: {
        Type: 'Task',
        Resource: functionArn,
        Parameters: ofPrefix('hold', { slot }),
        ResultPath: '$.hold',
        Retry: RETRY_SOON,
        Next: `Held ${slot}?`,
      },
      [`Held ${slot}?`]: {
        Type: 'Choice',
        Choices: [{ Variable: '$.hold.done', BooleanEquals: true, Next: `Held ${slot}` }],
        Default: `Hold ${slot}`,
      },
      [`Held ${slot}`]: { Type: 'Succeed' },
    },
  }
}

/** The event that the function is invoked with. */
function ofPrefix(work: SnapshotWorkEvent['snapshotWork'], more: object = {}): object {
  return { snapshotWork: work, 'prefix.$': '$.prefix', ...more }
}
