import type { IConstruct } from 'constructs'
import { LockstepError, sentenceOf } from '../lambda/errors.ts'

/** A mistake of the person who writes the app, told in one paragraph: its stack trace would only hide it. */
export class SynthesisError extends Error {
  override readonly name = 'SynthesisError'
}

/** A property of a construct that cannot be used: what is wrong, and what to change. */
export function invalidProperty(scope: IConstruct, problem: string, remedy: string): SynthesisError {
  return new SynthesisError(`CONFIG_INVALID: ${scope.node.path}: ${problem} ${remedy}`)
}

/**
 * Gives the errors of Lockstep's engine their remedy, which CDK would not print.
 *
 * @throws SynthesisError in place of LockstepError.
 */
export function explained<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof LockstepError) throw new SynthesisError(sentenceOf(error.report), { cause: error })
    throw error
  }
}
