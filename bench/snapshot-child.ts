import { compose } from '../lambda/compose.ts'
import { configFromEnvironment } from '../lambda/config.ts'
import { silentLog } from '../lambda/log.ts'
import { createSnapshot } from '../lambda/snapshot/snapshot.ts'

/** One measured snapshot, bundled as the function is, in a process of its own: `snapshot-child URL STORE`. */
const [url = '', location = ''] = process.argv.slice(2)
const startupSeconds = process.uptime()
const config = configFromEnvironment({ LOCKSTEP_SECRET_ARN: 'none', LOCKSTEP_SNAPSHOTS: location })
const lockstep = compose({ ...config, database: { kind: 'url', url } }, silentLog)
const { bytes, rows } = await createSnapshot(lockstep.snapshots(), { runId: 'bench' })
process.stdout.write(JSON.stringify({ startupSeconds, bytes, rows }))
