/** pg_dump writes for servers of its own major. What it writes in any case, and older ones do not know, is taken out. */
export function forServer(sql: string, version: number): string {
  // Only in its own header, which is the first match.
  const header = version >= 170_000 ? sql : sql.replace(/^SET transaction_timeout = 0;\n/m, '')
  // What a subscription did, and an unlogged table's sequence was, before it could be chosen.
  const subscriptions = version >= 160_000 ? header : header.replaceAll(RUN_AS_OWNER, '$1')
  return version >= 150_000 ? subscriptions : subscriptions.replaceAll(LOGGED_SEQUENCE, '$1')
}

/** Of an identity column. */
const LOGGED_SEQUENCE = /^( {4}SEQUENCE NAME .*\n) {4}LOGGED\n/gm

/** Among the options at the end of CREATE SUBSCRIPTION. */
const RUN_AS_OWNER = /, run_as_owner = true((?:, \w+ = [\w"]+)*\);)$/gm
