import { LockstepError } from '../../lambda/errors.ts'
import type { ErrorReport } from '../../lambda/contract.ts'

/** The report of the LockstepError that `work` throws. Fails when it throws none. */
export async function reportThrownBy(work: () => unknown): Promise<ErrorReport> {
  try {
    await work()
  } catch (error) {
    if (error instanceof LockstepError) return error.report
    throw error
  }
  throw new Error('Nothing was thrown.')
}
