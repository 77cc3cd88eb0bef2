import { Duration } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { SECONDS_TO_ANSWER } from '../lambda/contract.ts'
import { invalidProperty } from './synthesis-error.ts'

/** The times of a deployment, all derived from the one that is given. */
export interface RunTime {
  /** The function's own. */
  readonly invocation: Duration
  /** How long a run may take over all its invocations. Undefined: it is over with its first. */
  readonly allInvocations: Duration | undefined
  /** After this CloudFormation gives up on an answer. */
  readonly service: Duration
}

/** Its answer must be out before the Provider framework's own 15 minutes are over. */
const LONGEST_INVOCATION = Duration.minutes(14)
/** CloudFormation's limit for a custom resource (`ServiceTimeout`). */
const LONGEST_SERVICE = Duration.hours(1)
const ANSWER = Duration.seconds(SECONDS_TO_ANSWER)
const SHORTEST = Duration.minutes(1)

/**
 * Derives the times from `totalTimeout`.
 *
 * @throws SynthesisError for less than a minute, more than an hour, or a token.
 */
export function runTime(scope: Construct, totalTimeout: Duration = LONGEST_INVOCATION): RunTime {
  refuseInvalid(scope, totalTimeout)
  const fitsOne = totalTimeout.toSeconds() <= LONGEST_INVOCATION.toSeconds()
  const longest = LONGEST_SERVICE.minus(ANSWER)
  const run = shorter(totalTimeout, longest)
  return {
    invocation: shorter(totalTimeout, LONGEST_INVOCATION),
    allInvocations: fitsOne ? undefined : run,
    service: run.plus(ANSWER),
  }
}

function shorter(one: Duration, other: Duration): Duration {
  return one.toSeconds() <= other.toSeconds() ? one : other
}

function refuseInvalid(scope: Construct, totalTimeout: Duration): void {
  if (totalTimeout.isUnresolved()) {
    throw invalidProperty(scope, '"totalTimeout" is not known at synth.', 'Give a duration that is.')
  }
  const seconds = totalTimeout.toSeconds()
  if (seconds >= SHORTEST.toSeconds() && seconds <= LONGEST_SERVICE.toSeconds()) return
  throw invalidProperty(
    scope,
    `"totalTimeout" is ${totalTimeout.toHumanString()}.`,
    'Give 1 minute to 1 hour: CloudFormation does not wait longer.',
  )
}
