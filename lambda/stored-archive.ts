import { Readable } from 'node:stream'
import type { CodeArchive } from './engine/migration/code-archive.ts'
import { UNTOUCHED } from './errors.ts'
import { toLockstepError } from './snapshot/failure.ts'
import type { SnapshotStore } from './snapshot/store.ts'

/** Keeps compiled TypeScript migrations in the snapshot store, under `archive/`. */
export function storedArchive(store: SnapshotStore): CodeArchive {
  const has = async (key: string): Promise<boolean> => (await store.list(key)).includes(key)
  return {
    put: async (checksum, code) => {
      const key = keyOf(checksum)
      if (await has(key)) return
      try {
        await store.write(key, Readable.from([Buffer.from(code)], { objectMode: false }))
      } catch (error) {
        throw toLockstepError(error, {
          code: 'SNAPSHOT_FAILED',
          subject: 'Archiving a TypeScript migration',
          state: UNTOUCHED,
        })
      }
    },
    get: async (checksum) => {
      const key = keyOf(checksum)
      if (!(await has(key))) return null
      return Buffer.concat(await (await store.read(key)).toArray()).toString('utf8')
    },
  }
}

function keyOf(checksum: string): string {
  return `archive/${checksum}.mjs`
}
