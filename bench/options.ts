/** What can be said after a bench's name. Those of 1 GB and more take minutes. */
export interface BenchOptions {
  /** How often each variant is measured. @default 3 */
  readonly runs: number
  /** Of the database, in gigabytes. @default 1 */
  readonly scale: number
  /** Every sample as JSON on stdout, and the tables on stderr. */
  readonly json: boolean
}
