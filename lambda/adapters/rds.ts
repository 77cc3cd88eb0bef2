import {
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
  DeleteDBClusterSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBSnapshotsCommand,
  type DBClusterSnapshot,
  type DBSnapshot,
  type RDSClient,
  type Tag,
} from '@aws-sdk/client-rds'
import type { StorageService, StorageSnapshot } from '../snapshot/storage-service.ts'
import { isMissingSnapshot, isSnapshotThere, rdsFault } from './rds-fault.ts'

/** The RDS instance, or the Aurora or Multi-AZ cluster, whose storage is snapshotted. */
export interface RdsDatabase {
  readonly kind: 'instance' | 'cluster'
  readonly identifier: string
}

/** The calls that differ between instances and clusters in name only. */
interface Api {
  readonly create: (id: string, Tags: Tag[]) => Promise<StorageSnapshot | null>
  readonly describe: (id: string) => Promise<readonly StorageSnapshot[]>
  readonly page: (marker: string | undefined) => Promise<Page>
  readonly remove: (id: string) => Promise<void>
}

interface Page {
  readonly snapshots: readonly StorageSnapshot[]
  readonly marker: string | undefined
}

/** Snapshots by Amazon RDS. */
export function createRdsStorage(client: RDSClient, database: RdsDatabase): StorageService {
  const server = `${database.kind} "${database.identifier}"`
  const api = database.kind === 'instance' ? instanceApi(client, database) : clusterApi(client, database)
  const guarded = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw rdsFault(error, { ...database, doing })
    }
  }
  const find = async (id: string): Promise<StorageSnapshot | null> => {
    try {
      return (await api.describe(id))[0] ?? null
    } catch (error) {
      if (isMissingSnapshot(error)) return null
      throw error
    }
  }
  return {
    server,
    find: (id) => guarded(`look for the snapshot ${id}`, () => find(id)),
    create: (id, tags) =>
      guarded(`begin the snapshot ${id}`, async () => {
        const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
        const begun = await api.create(id, Tags).catch((error: unknown) => {
          // Its answer was lost and the client has asked again, or another delivery was faster.
          if (isSnapshotThere(error)) return find(id)
          throw error
        })
        if (begun === null) throw new Error(`RDS has not said what became of the snapshot ${id}`)
        return begun
      }),
    list: () => guarded(`list the snapshots of ${server}`, () => all(api)),
    remove: (id) => guarded(`delete the snapshot ${id}`, () => api.remove(id)),
  }
}

async function all(api: Api): Promise<readonly StorageSnapshot[]> {
  const found: StorageSnapshot[] = []
  let marker: string | undefined
  do {
    const page = await api.page(marker)
    found.push(...page.snapshots)
    marker = page.marker
  } while (marker !== undefined)
  return found
}

/** Without the automated snapshots and those that AWS Backup takes. */
const BY_HAND = { SnapshotType: 'manual' }

function instanceApi(client: RDSClient, { identifier: DBInstanceIdentifier }: RdsDatabase): Api {
  return {
    create: async (DBSnapshotIdentifier, Tags) => {
      const command = new CreateDBSnapshotCommand({ DBSnapshotIdentifier, DBInstanceIdentifier, Tags })
      const { DBSnapshot: snapshot } = await client.send(command)
      return snapshot === undefined ? null : ofInstance(snapshot)
    },
    describe: async (DBSnapshotIdentifier) => {
      const { DBSnapshots: found = [] } = await client.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }))
      return found.map(ofInstance)
    },
    page: async (marker) => {
      const input = { DBInstanceIdentifier, ...BY_HAND, ...(marker === undefined ? {} : { Marker: marker }) }
      const { DBSnapshots: found = [], Marker } = await client.send(new DescribeDBSnapshotsCommand(input))
      return { snapshots: found.map(ofInstance), marker: Marker }
    },
    remove: async (DBSnapshotIdentifier) =>
      void (await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }))),
  }
}

function clusterApi(client: RDSClient, { identifier: DBClusterIdentifier }: RdsDatabase): Api {
  return {
    create: async (DBClusterSnapshotIdentifier, Tags) => {
      const command = new CreateDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier, DBClusterIdentifier, Tags })
      const { DBClusterSnapshot: snapshot } = await client.send(command)
      return snapshot === undefined ? null : ofCluster(snapshot)
    },
    describe: async (DBClusterSnapshotIdentifier) => {
      const command = new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier })
      return ((await client.send(command)).DBClusterSnapshots ?? []).map(ofCluster)
    },
    page: async (marker) => {
      const input = { DBClusterIdentifier, ...BY_HAND, ...(marker === undefined ? {} : { Marker: marker }) }
      const { DBClusterSnapshots: found = [], Marker } = await client.send(new DescribeDBClusterSnapshotsCommand(input))
      return { snapshots: found.map(ofCluster), marker: Marker }
    },
    remove: async (DBClusterSnapshotIdentifier) =>
      void (await client.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier }))),
  }
}

function ofInstance(snapshot: DBSnapshot): StorageSnapshot {
  return { ...common(snapshot), id: snapshot.DBSnapshotIdentifier ?? '', arn: snapshot.DBSnapshotArn ?? '' }
}

function ofCluster(snapshot: DBClusterSnapshot): StorageSnapshot {
  const { DBClusterSnapshotIdentifier: id = '', DBClusterSnapshotArn: arn = '' } = snapshot
  return { ...common(snapshot), id, arn }
}

function common({
  Status,
  PercentProgress,
  SnapshotCreateTime,
  TagList,
}: DBSnapshot | DBClusterSnapshot): Omit<StorageSnapshot, 'id' | 'arn'> {
  return {
    status: Status ?? 'unknown',
    percent: PercentProgress ?? 0,
    createdAt: SnapshotCreateTime ?? null,
    tags: Object.fromEntries((TagList ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
  }
}
