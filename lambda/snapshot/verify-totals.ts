import type { SnapshotProblem } from '../snapshot-contract.ts'
import { MANIFEST_KEY, type SnapshotManifest } from './manifest.ts'

/** Where a manifest contradicts itself. Pure. */
export function problemsOfTotals({
  bytes,
  rows,
  tables,
  largeObjects,
  objects,
}: SnapshotManifest): readonly SnapshotProblem[] {
  const problems: SnapshotProblem[] = []
  const compare = (what: string, said: number, found: number): void => {
    if (said !== found) problems.push({ object: MANIFEST_KEY, message: `says ${said} ${what}, but there are ${found}` })
  }
  compare('bytes', bytes, sum(objects.map((object) => object.bytes)))
  compare('rows', rows, sum(tables.map((table) => table.rows)))
  compare('large objects', largeObjects?.count ?? 0, sum((largeObjects?.parts ?? []).map(({ count }) => count)))
  const listed = new Set(objects.map(({ key }) => key))
  for (const { schema, name, rows: ownRows, parts } of tables) {
    compare(`rows of ${schema}.${name}`, ownRows, sum(parts.map((part) => part.rows)))
    for (const { key } of parts) {
      if (!listed.has(key))
        problems.push({ object: key, message: `holds rows of ${schema}.${name}, but is not listed` })
    }
  }
  return problems
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
