import { randomUUID } from 'node:crypto'
import { arn } from '../aws.ts'
import type { Assembly } from './assembly.ts'
import { madeBy, merged, replacedBy, type Touched } from './changes.ts'
import type { Delivery, Manner } from './delivery.ts'
import { goForward } from './forward.ts'
import type { Scope } from './intrinsics.ts'
import { applyTemplate, refuseChangedTypes, type OperationResult } from './operation.ts'
import { outputsOf } from './outputs.ts'
import { CLEANUP_ATTEMPTS, removeAll } from './removal.ts'
import type { StackResources } from './resource.ts'
import { activeResources, type Resources } from './resources.ts'
import { restore, restoreAll } from './rollback.ts'
import { scopeOf } from './scope.ts'
import type { StackDescription } from './stack-description.ts'
import type { FinalStatus, StackStatus } from './stack-status.ts'
import type { Deployment, DeployOptions, StackOptions } from './stack-types.ts'
import type { Template } from './template.ts'

export interface EngineSettings {
  readonly options: StackOptions
  /** Where the code that assemblies bring is noted, by key. */
  readonly assets: Map<string, string>
  readonly delivery: Delivery
  readonly resources: Resources
}

const EMPTY: Template = { Resources: {} }

interface Ending {
  readonly stackStatus: FinalStatus
  /** @default the operation did not fail */
  readonly reason?: string | undefined
}

/** The operations of one stack, each from one status to another. */
export class StackEngine {
  id = ''
  status: StackStatus | null = null
  manner: Manner = {}
  readonly #settings: EngineSettings
  readonly #standing: StackResources = new Map()
  readonly #deleted: StackDescription[] = []
  #createdAt = new Date()
  #reason: string | undefined
  /** The last good one; rollbacks go back to it. */
  #template = EMPTY
  /** What has changed since. */
  #changes: readonly Touched[] = []
  #interruption = new AbortController()

  constructor(settings: EngineSettings) {
    this.#settings = settings
    this.#renew()
  }

  async deploy(assembly: Assembly, options: DeployOptions): Promise<Deployment> {
    this.#refuse('UPDATE_ROLLBACK_FAILED', 'DELETE_FAILED')
    return this.#operation(async () => {
      for (const [key, directory] of assembly.assets) this.#settings.assets.set(key, directory)
      const { rollback = true } = options
      if (this.#isPaused() && rollback === true) {
        const { stackStatus, reason } = await this.#rollBack()
        if (stackStatus === 'UPDATE_ROLLBACK_FAILED') return { stackStatus, reason }
      }
      if (this.status === 'ROLLBACK_COMPLETE' || this.status === 'ROLLBACK_FAILED') {
        const deletion = await this.#delete()
        if (deletion.stackStatus === 'DELETE_FAILED') return deletion
      }
      if (this.status === 'DELETE_COMPLETE') this.#renew()
      return this.#apply(assembly.template, options)
    })
  }

  cancel(): void {
    if (this.status === 'CREATE_IN_PROGRESS') this.status = 'DELETE_IN_PROGRESS'
    else if (this.status === 'UPDATE_IN_PROGRESS') this.status = 'UPDATE_ROLLBACK_IN_PROGRESS'
    else throw new Error(`Nothing can be cancelled: the stack is in ${this.status ?? 'no status yet'}.`)
    this.#interruption.abort(new Error('Cancelled by a person.'))
  }

  async rollback(): Promise<Deployment> {
    if (!this.#isPaused()) throw new Error(`The stack is in ${String(this.status)}: there is nothing to roll back.`)
    return this.#operation(() => this.#rollBack())
  }

  async continueUpdateRollback(): Promise<Deployment> {
    if (this.status !== 'UPDATE_ROLLBACK_FAILED') throw new Error('The stack is not in UPDATE_ROLLBACK_FAILED.')
    return this.#operation(() => this.#rollBackUpdate())
  }

  async remove(): Promise<Deployment> {
    this.#refuse()
    return this.#operation(() => this.#delete())
  }

  describe(): readonly StackDescription[] {
    const { id, status } = this
    if (status === null) return this.#deleted
    const { name } = this.#settings.options
    return [{ id, name, status, reason: this.#reason, createdAt: this.#createdAt }, ...this.#deleted]
  }

  async #operation(work: () => Promise<Ending>): Promise<Deployment> {
    const seen = this.#settings.delivery.responses().length
    const { stackStatus, reason } = await work()
    this.status = stackStatus
    this.#reason = reason
    const responses = this.#settings.delivery.responses().slice(seen)
    return { stackStatus, reason, responses, outputs: outputsOf(this.#template, this.#scope(this.#template)) }
  }

  async #apply(template: Template, options: DeployOptions): Promise<Ending> {
    refuseChangedTypes(template, this.#standing)
    const isNew = this.status === null
    this.status = isNew ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS'
    const { touched, failure } = await this.#goForward(template, options)
    this.#changes = merged(this.#changes, touched)
    if (failure === undefined) return this.#complete(template, isNew)
    if (this.#isStatus('DELETE_IN_PROGRESS')) return { ...(await this.#delete()), reason: failure }
    const { rollback = true } = options
    if (rollback === true || this.#isStatus('UPDATE_ROLLBACK_IN_PROGRESS')) {
      return { ...(await this.#rollBack()), reason: failure }
    }
    if (rollback === 'failed-resource') await this.#restoreFailed()
    return { stackStatus: isNew ? 'CREATE_FAILED' : 'UPDATE_FAILED', reason: failure }
  }

  async #goForward(template: Template, options: DeployOptions): Promise<OperationResult> {
    this.#interruption = new AbortController()
    const { signal } = this.#interruption
    const { delivery: mode = 'once' } = options
    this.manner = { mode, signal }
    const scope = this.#scope(template)
    const apply = (): Promise<OperationResult> =>
      applyTemplate(template, this.#standing, scope, this.#settings.resources, signal)
    const result = await goForward(apply, options, this.#interruption)
    this.manner = {}
    return result
  }

  /** All resources stand; what the template no longer has, or has replaced, is deleted last. That may fail. */
  async #complete(template: Template, isNew: boolean): Promise<Ending> {
    if (!isNew) this.status = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'
    this.#template = template
    const { resources } = this.#settings
    const active = activeResources(template, this.#scope(template))
    const dropped = [...this.#standing.values()].filter(({ logicalId }) => active[logicalId] === undefined)
    await removeAll(replacedBy(this.#changes), resources, { policy: 'updateReplacePolicy', attempts: CLEANUP_ATTEMPTS })
    await removeAll(dropped, resources, { policy: 'deletionPolicy', attempts: CLEANUP_ATTEMPTS })
    for (const { logicalId } of dropped) this.#standing.delete(logicalId)
    this.#changes = []
    return { stackStatus: isNew ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE' }
  }

  /** Back to the last good template. Without one, all resources go: that is how RollbackStack is documented. */
  async #rollBack(): Promise<Ending> {
    const ending = await (this.#template === EMPTY ? this.#rollBackCreation() : this.#rollBackUpdate())
    this.status = ending.stackStatus
    return ending
  }

  async #rollBackCreation(): Promise<Ending> {
    this.status = 'ROLLBACK_IN_PROGRESS'
    const reasons = await this.#removeEverything()
    return reasons.length === 0
      ? { stackStatus: 'ROLLBACK_COMPLETE' }
      : { stackStatus: 'ROLLBACK_FAILED', reason: reasons.join('; ') }
  }

  async #rollBackUpdate(): Promise<Ending> {
    this.status = 'UPDATE_ROLLBACK_IN_PROGRESS'
    const { resources } = this.#settings
    const { remaining, failure } = await restoreAll(this.#changes, this.#standing, resources)
    if (failure !== undefined) {
      this.#changes = remaining
      return { stackStatus: 'UPDATE_ROLLBACK_FAILED', reason: failure }
    }
    this.status = 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'
    for (const { logicalId, before } of this.#changes) if (before === undefined) this.#standing.delete(logicalId)
    await removeAll(madeBy(this.#changes), resources, { policy: 'deletionPolicy', attempts: CLEANUP_ATTEMPTS })
    this.#changes = []
    return { stackStatus: 'UPDATE_ROLLBACK_COMPLETE' }
  }

  async #restoreFailed(): Promise<void> {
    for (const change of this.#changes) {
      const current = this.#standing.get(change.logicalId)
      if (current?.failed !== 'update') continue
      await restore(change, this.#standing, this.#settings.resources)
      this.#standing.set(change.logicalId, current)
    }
  }

  async #delete(): Promise<Ending> {
    this.status = 'DELETE_IN_PROGRESS'
    const reasons = await this.#removeEverything()
    if (reasons.length > 0) return { stackStatus: 'DELETE_FAILED', reason: reasons.join('; ') }
    this.#template = EMPTY
    this.status = 'DELETE_COMPLETE'
    return { stackStatus: 'DELETE_COMPLETE' }
  }

  /** Gives the reasons of the deletions that failed; those resources still stand. */
  async #removeEverything(): Promise<readonly string[]> {
    const known = [...this.#standing.values(), ...madeBy(this.#changes), ...replacedBy(this.#changes)]
    const all = new Map(known.map((state) => [`${state.logicalId} ${state.physicalId}`, state]))
    const { reasons, left } = await removeAll([...all.values()], this.#settings.resources, { policy: 'deletionPolicy' })
    this.#standing.clear()
    for (const state of left) this.#standing.set(state.logicalId, state)
    this.#changes = []
    return reasons
  }

  #isPaused(): boolean {
    return this.status === 'CREATE_FAILED' || this.status === 'UPDATE_FAILED'
  }

  /** Also after `cancel`, which the compiler does not see. */
  #isStatus(status: StackStatus): boolean {
    return this.status === status
  }

  #refuse(...statuses: readonly StackStatus[]): void {
    const { status } = this
    if (status === null || !(status.endsWith('_IN_PROGRESS') || statuses.includes(status))) return
    throw new Error(`The stack is in ${status} and cannot be changed.`)
  }

  #renew(): void {
    if (this.status !== null) this.#deleted.push(...this.describe().slice(0, 1))
    const { name } = this.#settings.options
    this.id = arn('cloudformation', `stack/${name}/${randomUUID()}`)
    this.status = null
    this.#createdAt = new Date()
    this.#reason = undefined
  }

  #scope(template: Template): Scope {
    const { name: stackName, parameters = {}, imports = {} } = this.#settings.options
    return scopeOf({ template, stackName, stackId: this.id, parameters, imports, resources: this.#standing })
  }
}
