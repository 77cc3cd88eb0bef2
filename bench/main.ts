import { parseArgs } from 'node:util'
import { benchDdl } from './ddl.ts'
import { benchMany } from './many.ts'
import type { BenchOptions } from './options.ts'
import { benchRestore } from './restore.ts'
import { benchSnapshot } from './snapshot.ts'
import { benchStall } from './stall.ts'

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  many: () => benchMany('many'),
  noop: () => benchMany('noop'),
  stall: benchStall,
  snapshot: benchSnapshot,
  restore: benchRestore,
  ddl: benchDdl,
}

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const options = { runs: Number(values.runs), scale: Number(values.scale), json: values.json }
const unknown = names.filter((name) => !(name in BENCHES))
if (names.length === 0 || unknown.length > 0 || !(options.runs >= 1) || !(options.scale > 0)) {
  console.error(
    `${unknown.length > 0 ? `Unknown: ${unknown.join(', ')}. ` : ''}Give one or more of: ${Object.keys(BENCHES).join(', ')}; for snapshot and restore also --runs N, --scale GIGABYTES, --json.`,
  )
  process.exitCode = 2
} else {
  for (const name of names) await BENCHES[name]?.(options)
}
