import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { until } from '../support/wait.ts'
import type { Step } from './scenario.ts'
import type { Stage } from './stage.ts'

const sessions = new WeakMap<Stage, pg.Client[]>()

/** Takes every connection that the server has for users like the function's. */
export const fillConnections: Step = async (stage) => {
  const { world } = stage
  const { host, port, dbname: database, username: user, password } = world.credentials
  const open: pg.Client[] = []
  sessions.set(stage, open)
  for (;;) {
    const client = new pg.Client({ host, port, database, user, password })
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === '53300') return
      throw error
    }
    open.push(client)
  }
}

export const freeConnections: Step = async (stage) => {
  await Promise.all((sessions.get(stage) ?? []).map((client) => client.end()))
}

/** An application reads a table in a transaction, which it ends after a while. */
export function readFor(milliseconds: number, table: string): Step {
  return async ({ world }) => {
    const reader = await world.database.connect('reader')
    await reader.execute(`BEGIN; SELECT FROM ${table}`)
    void delay(milliseconds).then(() => reader.close())
  }
}

/** Somebody's SQL. */
export function sql(text: string): Step {
  return async ({ world }) => void (await world.database.rows(text))
}

/** Waits until a table is there. */
export function untilThere(table: string): Step {
  return ({ world }) =>
    until(async () => {
      const [row] = await world.database.rows(`SELECT to_regclass('${table}') IS NOT NULL AS there`)
      return row?.['there'] === true
    })
}
