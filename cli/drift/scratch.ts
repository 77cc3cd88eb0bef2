import type { DriftDifference } from '../../lambda/drift-contract.ts'
import type { Catalog } from '../../lambda/engine/catalog/catalog.ts'
import { readStructure, type StructureScope } from '../../lambda/engine/catalog/read-structure.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'

/** Reads the structure of a scratch database. */
export async function structureAt(server: ShadowServer, database: string, scope: StructureScope): Promise<Catalog> {
  const connection = await server.connect(database)
  try {
    return await readStructure(connection, scope)
  } finally {
    await connection.close()
  }
}

/** Drops from a scratch database what does not count. What goes with something else that was dropped is gone already. */
export async function forget(
  server: ShadowServer,
  database: string,
  unwanted: readonly DriftDifference[],
): Promise<void> {
  if (unwanted.length === 0) return
  const connection = await server.connect(database)
  try {
    for (const { kind, identity } of unwanted) {
      if (identity !== '')
        await connection.execute(`DROP ${sqlKind(kind)} IF EXISTS ${identity} CASCADE`).catch(() => [])
    }
  } finally {
    await connection.close()
  }
}

const SQL_KINDS: Readonly<Record<string, string>> = {
  'partitioned table': 'TABLE',
  'composite type': 'TYPE',
  enum: 'TYPE',
  domain: 'DOMAIN',
  'range type': 'TYPE',
  'base type': 'TYPE',
}

function sqlKind(kind: string): string {
  return SQL_KINDS[kind] ?? kind.toUpperCase()
}
