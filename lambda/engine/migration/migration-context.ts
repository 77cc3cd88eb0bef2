import type { Row } from '../database.ts'

/** Runs one statement with parameters and gives its rows. */
export type QueryFunction = <R extends Row = Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly R[]>
