import { LockstepError, UNTOUCHED } from '../lambda/errors.ts'

const FORM = 'postgres://user:password@host:5432/database'

/**
 * Checks a database URL before anything uses it. The message never holds the URL, because it holds a password.
 *
 * @throws LockstepError `CONFIG_INVALID`.
 */
export function checkDatabaseUrl(url: string): void {
  if (url.trim() === '') throw invalid('is empty')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) throw invalid('is not a URL')
  if (scheme !== 'postgres' && scheme !== 'postgresql') throw invalid(`has the scheme "${scheme}"`)
  if (!URL.canParse(url)) throw invalid('cannot be read: its host or its port is not valid')
  const { username, password, pathname } = new URL(url)
  // Anything but an at sign before the path: the password has a "/", "?" or "#" of its own, and ended too early.
  if (/[/?#].*@/.test(url.slice(`${scheme}://`.length))) throw invalid('has an "@" behind the host')
  if (![username, password, pathname].every(canDecode)) throw invalid('has a "%" that begins no percent-encoding')
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function invalid(problem: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The database URL ${problem}. It is not shown here, because it may hold a password.`,
    state: UNTOUCHED,
    remedy: `Give --database-url or LOCKSTEP_DATABASE_URL as ${FORM}, with the special characters of user and password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F, % is %25).`,
  })
}
