import { benchDdl } from './ddl.ts'
import { benchMany } from './many.ts'
import { benchStall } from './stall.ts'

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  many: () => benchMany('many'),
  noop: () => benchMany('noop'),
  stall: benchStall,
  ddl: benchDdl,
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in BENCHES))
if (names.length === 0 || unknown.length > 0) {
  console.error(
    `${unknown.length > 0 ? `Unknown: ${unknown.join(', ')}. ` : ''}Give one or more of: ${Object.keys(BENCHES).join(', ')}.`,
  )
  process.exitCode = 2
} else {
  for (const name of names) await BENCHES[name]?.()
}
