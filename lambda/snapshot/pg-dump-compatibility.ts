/** pg_dump writes for servers of its own major. What it writes in any case, and older ones do not know, is taken out. */
export function forServer(sql: string, version: number): string {
  const own = sql.replaceAll(COLUMN_OPTIONS, withoutColumnVersion)
  // Only in its own header, which is the first match.
  const header = version >= 170_000 ? own : own.replace(/^SET transaction_timeout = 0;\n/m, '')
  // What a subscription did, and an unlogged table's sequence was, before it could be chosen.
  const subscriptions = version >= 160_000 ? header : header.replaceAll(RUN_AS_OWNER, '$1')
  return version >= 150_000 ? subscriptions : subscriptions.replaceAll(LOGGED_SEQUENCE, '$1')
}

/** Of an identity column. */
const LOGGED_SEQUENCE = /^( {4}SEQUENCE NAME .*\n) {4}LOGGED\n/gm

/** Among the options at the end of CREATE SUBSCRIPTION. */
const RUN_AS_OWNER = /, run_as_owner = true((?:, \w+ = [\w"]+)*\);)$/gm

const COLUMN_OPTIONS = /^(ALTER (?:FOREIGN )?TABLE (?:ONLY )?.+ ALTER COLUMN .+ SET )\((.*\bpg_attver=\d+.*)\);\n/gm

/**
 * From the minor versions of November 2026 on, servers number their columns' types among the columns' options. An older
 * pg_dump writes the number out, and a server that gives its own, or knows of none, must not get it.
 */
function withoutColumnVersion(_statement: string, start: string, options: string): string {
  const kept = options.split(', ').filter((option) => !option.startsWith('pg_attver='))
  return kept.length === 0 ? '' : `${start}(${kept.join(', ')});\n`
}
