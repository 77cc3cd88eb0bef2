import { arn } from './aws.ts'
import { startHttpServer, type HttpAnswer, type HttpReply, type HttpRequest } from './http-server.ts'
import { element, elements, formOf, queryAnswers } from './query-protocol.ts'

type Kind = 'instance' | 'cluster'

/** A snapshot as the service keeps it. */
export interface KeptSnapshot {
  readonly id: string
  readonly kind: Kind
  readonly server: string
  readonly type: 'manual' | 'automated'
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date
  /** Questions after which a snapshot in the making is available. */
  readonly available: number
  /** @default what comes of the questions */
  readonly status?: string
}

/** How the service meets those who ask: `denied` lacks the permission, `hangs` has no route. */
export type RdsMode = 'answers' | 'denied' | 'quota' | 'hangs'

/** Amazon RDS as far as snapshots go. */
export interface TestRds {
  readonly endpoint: string
  /** There is such a server now, in this state. @param status - @default 'available' */
  readonly put: (kind: Kind, identifier: string, status?: string) => void
  /** There is such a snapshot now. */
  readonly keep: (snapshot: Pick<KeptSnapshot, 'id' | 'kind' | 'server'> & Partial<KeptSnapshot>) => void
  /** Snapshots that are begun from now on are available after so many questions. @default 1 */
  readonly takes: (questions: number) => void
  readonly answer: (mode: RdsMode) => void
  /** What was asked, oldest first, such as `CreateDBSnapshot`. */
  readonly calls: () => readonly string[]
  readonly snapshots: () => readonly KeptSnapshot[]
  readonly forget: (id: string) => void
  readonly stop: () => Promise<void>
}

interface State {
  /** States of servers, by kind and identifier. */
  readonly servers: Map<string, string>
  readonly snapshots: Map<string, KeptSnapshot>
  /** How often each snapshot was asked for. */
  readonly asked: Map<string, number>
  readonly calls: string[]
  mode: RdsMode
  questions: number
}

const { result, failure } = queryAnswers('http://rds.amazonaws.com/doc/2014-10-31/')
/** A list is answered in pages of this size. */
const PAGE = 2

/** Starts RDS without servers, over HTTP and the AWS Query protocol. */
export async function startRds(): Promise<TestRds> {
  const state: State = {
    servers: new Map(),
    snapshots: new Map(),
    asked: new Map(),
    calls: [],
    mode: 'answers',
    questions: 1,
  }
  const server = await startHttpServer(async (request) => answer(state, request))
  return {
    endpoint: server.endpoint,
    put: (kind, identifier, status = 'available') => void state.servers.set(`${kind} ${identifier}`, status),
    keep: (snapshot) => {
      const defaults = { type: 'manual', tags: {}, createdAt: new Date(), available: 0 } as const
      state.snapshots.set(snapshot.id, { ...defaults, ...snapshot })
    },
    takes: (wanted) => void (state.questions = wanted),
    answer: (wanted) => void (state.mode = wanted),
    calls: () => state.calls,
    snapshots: () => [...state.snapshots.values()],
    forget: (id) => void state.snapshots.delete(id),
    stop: server.stop,
  }
}

function answer(state: State, request: HttpRequest): HttpAnswer {
  const form = formOf(request)
  const action = form.get('Action') ?? ''
  state.calls.push(action)
  if (state.mode === 'hangs') return 'hang'
  if (state.mode === 'denied') return failure(403, 'AccessDenied', `User is not authorized to perform: rds:${action}`)
  const kind = action.includes('Cluster') ? 'cluster' : 'instance'
  const known: Readonly<Record<string, (state: State, kind: Kind, form: URLSearchParams) => HttpReply>> = {
    [`Create${nounOf(kind)}`]: create,
    [`Describe${nounOf(kind)}s`]: list,
    [`Delete${nounOf(kind)}`]: remove,
  }
  return known[action]?.(state, kind, form) ?? failure(400, 'InvalidAction', `Not simulated: ${action}`)
}

function create(state: State, kind: Kind, form: URLSearchParams): HttpReply {
  const noun = nounOf(kind)
  const [id, server] = [form.get(`${noun}Identifier`) ?? '', form.get(serverField(kind)) ?? '']
  if (state.mode === 'quota')
    return failure(400, 'SnapshotQuotaExceeded', 'Cannot create more than 100 manual snapshots')
  const status = state.servers.get(`${kind} ${server}`)
  if (status === undefined) {
    return failure(404, kind === 'cluster' ? 'DBClusterNotFoundFault' : 'DBInstanceNotFound', `${server} not found.`)
  }
  if (state.snapshots.has(id)) {
    const code = kind === 'cluster' ? 'DBClusterSnapshotAlreadyExistsFault' : 'DBSnapshotAlreadyExists'
    return failure(400, code, `Cannot create the snapshot because ${id} exists.`)
  }
  if (status !== 'available') {
    const message = `Cannot create a snapshot because the database ${kind} ${server} is not currently in the available state.`
    return failure(400, kind === 'cluster' ? 'InvalidDBClusterStateFault' : 'InvalidDBInstanceState', message)
  }
  const tags = tagsIn(form)
  const begun = { id, kind, server, type: 'manual', tags, createdAt: new Date(), available: state.questions } as const
  state.snapshots.set(id, begun)
  return result(`Create${noun}`, element(noun, describe(state, begun)))
}

function list(state: State, kind: Kind, form: URLSearchParams): HttpReply {
  const noun = nounOf(kind)
  const id = form.get(`${noun}Identifier`)
  if (id !== null && state.snapshots.get(id)?.kind !== kind) return missing(kind, id)
  const [server, type] = [form.get(serverField(kind)), form.get('SnapshotType')]
  const found = [...state.snapshots.values()].filter(
    (one) =>
      one.kind === kind &&
      (id === null || one.id === id) &&
      (server === null || one.server === server) &&
      (type === null || one.type === type),
  )
  const from = Number(form.get('Marker') ?? 0)
  const members = found.slice(from, from + PAGE).map((one) => element(noun, describe(state, one)))
  const marker = from + PAGE < found.length ? element('Marker', String(from + PAGE)) : ''
  return result(`Describe${noun}s`, `${marker}${element(`${noun}s`, members.join(''))}`)
}

function remove({ snapshots }: State, kind: Kind, form: URLSearchParams): HttpReply {
  const noun = nounOf(kind)
  const id = form.get(`${noun}Identifier`) ?? ''
  return snapshots.delete(id) ? result(`Delete${noun}`, '') : missing(kind, id)
}

function missing(kind: Kind, id: string): HttpReply {
  const code = kind === 'cluster' ? 'DBClusterSnapshotNotFoundFault' : 'DBSnapshotNotFound'
  return failure(404, code, `${nounOf(kind)} ${id} not found.`)
}

/** A snapshot as XML. Whoever asks often enough finds it available. */
function describe({ asked }: State, snapshot: KeptSnapshot): string {
  const { id, kind, available } = snapshot
  const times = asked.get(id) ?? 0
  asked.set(id, times + 1)
  const isThere = times >= available
  const noun = nounOf(kind)
  const tags = Object.entries(snapshot.tags).map(([Key, Value]) => element('Tag', elements({ Key, Value })))
  return `${elements({
    [`${noun}Identifier`]: id,
    [`${noun}Arn`]: arn('rds', `${kind === 'instance' ? 'snapshot' : 'cluster-snapshot'}:${id}`),
    SnapshotType: snapshot.type,
    Status: snapshot.status ?? (isThere ? 'available' : 'creating'),
    PercentProgress: String(isThere ? 100 : Math.floor((100 * times) / available)),
    ...(isThere ? { SnapshotCreateTime: snapshot.createdAt.toISOString() } : {}),
  })}${element('TagList', tags.join(''))}`
}

function nounOf(kind: Kind): string {
  return kind === 'instance' ? 'DBSnapshot' : 'DBClusterSnapshot'
}

function serverField(kind: Kind): string {
  return kind === 'instance' ? 'DBInstanceIdentifier' : 'DBClusterIdentifier'
}

function tagsIn(form: URLSearchParams): Readonly<Record<string, string>> {
  const keys = [...form].filter(([field]) => /^Tags\.Tag\.\d+\.Key$/.test(field))
  return Object.fromEntries(keys.map(([field, key]) => [key, form.get(field.replace(/Key$/, 'Value')) ?? '']))
}
