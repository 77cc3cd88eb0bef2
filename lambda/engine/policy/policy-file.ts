import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'
import { parsePolicySettings, type PolicyLayer } from './policy.ts'

/** Stands beside the migrations: switches of the policy that every run of the set shares. */
export const POLICY_FILE = 'lockstep.policy.json'

/**
 * Reads the switches beside the migrations; none are set where there is no such file.
 *
 * @throws LockstepError `CONFIG_INVALID`.
 */
export function readPolicyFile(directory: string): PolicyLayer {
  const path = join(directory, POLICY_FILE)
  return { source: 'file', settings: existsSync(path) ? parsePolicySettings(read(path), POLICY_FILE) : {} }
}

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `${POLICY_FILE} cannot be read: ${messageOf(error)}.`,
      state: UNTOUCHED,
      remedy: 'Correct it: a JSON object such as {"environment":"production"}.',
      cause: error,
    })
  }
}
