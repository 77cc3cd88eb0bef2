import { compose } from '../lambda/compose.ts'
import { configFromEnvironment } from '../lambda/config.ts'
import type { Log } from '../lambda/log.ts'
import { restoreSnapshot } from '../lambda/snapshot/restore.ts'

/** One measured restore, bundled as the function is, in a process of its own: `restore-child URL URI STORE NAME`. */
const [url = '', uri = '', location = '', into = ''] = process.argv.slice(2)
const startupSeconds = process.uptime()
const config = configFromEnvironment({ LOCKSTEP_SECRET_ARN: 'none', LOCKSTEP_SNAPSHOTS: location })
let analyzeBegan = 0
let analyzeSeconds = 0
const note = (message: string): void => {
  if (message === 'Gathering statistics') analyzeBegan = performance.now()
  if (message === 'Gathered statistics') analyzeSeconds = (performance.now() - analyzeBegan) / 1000
}
const log: Log = { info: note, warn: note, error: note }
const lockstep = compose({ ...config, database: { kind: 'url', url } }, log)
const { rows } = await restoreSnapshot(lockstep.snapshots(), { uri, into })
process.stdout.write(JSON.stringify({ startupSeconds, analyzeSeconds, rows }))
