/** What the engine needs of a database session. The driver's adapter implements it. */

export type Row = Readonly<Record<string, unknown>>

export interface ResultSet {
  readonly rows: readonly Row[]
  readonly rowCount: number
}

export interface Connection {
  /** Server process id, for `pg_stat_activity`. Behind a pooler one that the pooler made up. */
  readonly processId: number
  /** Where it was connected to: host and port. */
  readonly server: string
  /** False once the session is gone: nothing further can be sent on it. */
  readonly isOpen: () => boolean
  /** One round trip in the simple protocol; `sql` may hold several statements. One result set per statement. */
  readonly execute: (sql: string) => Promise<readonly ResultSet[]>
  /** One statement with parameters. */
  readonly query: (sql: string, parameters?: readonly unknown[]) => Promise<ResultSet>
  /** Whether the last statement left a transaction open. */
  readonly isInTransaction: () => boolean
  /** Cuts the session off, for when the server does not answer any more. */
  readonly abandon: () => void
  /** Ends the session; never throws. */
  readonly close: () => Promise<void>
}

export type Connect = () => Promise<Connection>

/** PostgreSQL refused a statement. */
export class SqlError extends Error {
  override readonly name = 'SqlError'
  readonly sqlState: string
  /** 1-based offset in characters into the statement that was sent. */
  readonly position: number | null
  readonly detail: string | null
  readonly hint: string | null
  readonly where: string | null

  constructor(
    message: string,
    fields: {
      readonly sqlState: string
      readonly position?: number | null
      readonly detail?: string | null
      readonly hint?: string | null
      readonly where?: string | null
    },
  ) {
    super(message)
    this.sqlState = fields.sqlState
    this.position = fields.position ?? null
    this.detail = fields.detail ?? null
    this.hint = fields.hint ?? null
    this.where = fields.where ?? null
  }
}

/** The session ended under a statement: whether that statement took effect is unknown until somebody looks. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** A text literal that is safe under either setting of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** What stands in SQL as it is. */
export interface Expression {
  readonly sql: string
}

/** A text that becomes a literal, or an expression. */
export function literalOf(text: string | Expression): string {
  return typeof text === 'string' ? quoteLiteral(text) : text.sql
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
