import { addedResources, withResources, type AddedResources } from './added-resource.ts'
import type { Assembly } from './assembly.ts'
import { madeBy, merged, replacedBy, type Touched } from './changes.ts'
import type { Delivery, Manner } from './delivery.ts'
import { createEffects, type Effects } from './effects.ts'
import type { Scope } from './intrinsics.ts'
import { applyTemplate, messageOf, type OperationResult } from './operation.ts'
import { outputsOf, shown } from './outputs.ts'
import { CLEANUP_ATTEMPTS, removeAll, type RemovalOptions } from './removal.ts'
import type { ResourceState, StackResources } from './resource.ts'
import { activeTemplate, withAttributes, type Resources } from './resources.ts'
import { restore, restoreAll } from './rollback.ts'
import { scopeOf } from './scope.ts'
import { StackRecord } from './stack-record.ts'
import type { FinalStatus } from './stack-status.ts'
import type { ContinueOptions, Deployment, DeployOptions, RemoveOptions, StackOptions } from './stack-types.ts'
import type { Properties, Template } from './template.ts'
import { refuseInvalid, refuseSkips } from './validation.ts'

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
  readonly record: StackRecord
  manner: Manner = {}
  /** What the deployment that runs has added to its template. */
  added: AddedResources = {}
  readonly #settings: EngineSettings
  readonly #effects: Effects
  readonly #standing: StackResources = new Map()
  /** The last good one; rollbacks go back to it. */
  #template = EMPTY
  #outputs: Properties = {}
  /** What has changed since. */
  #changes: readonly Touched[] = []
  /** What a rollback that has not come to its clean-up yet is to delete there. */
  #doomed: readonly ResourceState[] = []
  #notRolledBack: readonly string[] = []
  #interruption = new AbortController()

  constructor(settings: EngineSettings) {
    this.#settings = settings
    this.record = new StackRecord(settings.options.name, () => settings.options.within?.id)
    this.#effects = createEffects(settings.resources.handlerOf, (event) => void this.record.events.push(event))
  }

  async deploy(assembly: Assembly, options: DeployOptions): Promise<Deployment> {
    this.record.refuse('UPDATE_ROLLBACK_FAILED', 'DELETE_FAILED')
    return this.#operation(async () => {
      for (const [key, directory] of assembly.assets) this.#settings.assets.set(key, directory)
      const { rollback = true } = options
      if (this.record.isIn('CREATE_FAILED', 'UPDATE_FAILED') && rollback === true) {
        const { stackStatus, reason } = await this.#rollBack()
        if (stackStatus === 'UPDATE_ROLLBACK_FAILED') return { stackStatus, reason }
      }
      if (this.record.isIn('ROLLBACK_COMPLETE', 'ROLLBACK_FAILED')) {
        const deletion = await this.#delete()
        if (deletion.stackStatus === 'DELETE_FAILED') return deletion
      }
      if (this.record.isIn('DELETE_COMPLETE')) this.record.renew()
      return this.#apply(assembly.template, options)
    })
  }

  cancel(): void {
    if (this.record.isIn('CREATE_IN_PROGRESS')) this.record.enter('DELETE_IN_PROGRESS')
    else if (this.record.isIn('UPDATE_IN_PROGRESS')) this.record.enter('UPDATE_ROLLBACK_IN_PROGRESS')
    else throw new Error(`Nothing can be cancelled: the stack is in ${this.record.status ?? 'no status yet'}.`)
    this.#interruption.abort(new Error('Cancelled by a person.'))
  }

  async rollback(): Promise<Deployment> {
    if (!this.record.isIn('CREATE_FAILED', 'UPDATE_FAILED'))
      throw new Error(`The stack is in ${String(this.record.status)}: there is nothing to roll back.`)
    return this.#operation(() => this.#rollBack())
  }

  async continueUpdateRollback({ skip = [] }: ContinueOptions): Promise<Deployment> {
    if (!this.record.isIn('UPDATE_ROLLBACK_FAILED')) throw new Error('The stack is not in UPDATE_ROLLBACK_FAILED.')
    refuseSkips(skip, this.#notRolledBack)
    return this.#operation(() => {
      this.#skip(skip)
      return this.#rollBackUpdate()
    })
  }

  async remove({ retain = [] }: RemoveOptions): Promise<Deployment> {
    this.record.refuse()
    if (retain.length > 0 && !this.record.isIn('DELETE_FAILED')) throw new Error('The stack is not in DELETE_FAILED.')
    return this.#operation(() => this.#delete({ retain }))
  }

  async #operation(work: () => Promise<Ending>): Promise<Deployment> {
    const seen = this.#settings.delivery.responses().length
    const told = this.record.events.length
    const { stackStatus, reason } = await work()
    this.record.enter(stackStatus, reason)
    this.record.reason = reason
    const responses = this.#settings.delivery.responses().slice(seen)
    return { stackStatus, reason, responses, outputs: this.#outputs, events: this.record.events.slice(told) }
  }

  async #apply(template: Template, options: DeployOptions): Promise<Ending> {
    this.added = addedResources(options)
    const whole = withResources(template, this.added)
    refuseInvalid(whole, this.#standing)
    const isNew = this.record.status === null
    this.record.enter(isNew ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS')
    const { touched, failure } = await this.#goForward(whole, options)
    this.#changes = merged(this.#changes, touched)
    if (failure === undefined) return this.#complete(whole, isNew)
    if (this.record.isIn('DELETE_IN_PROGRESS')) return { ...(await this.#delete()), reason: failure }
    const { rollback = true } = options
    if (rollback === true || this.record.isIn('UPDATE_ROLLBACK_IN_PROGRESS')) {
      return { ...(await this.#rollBack()), reason: failure }
    }
    if (rollback === 'failed-resource') await this.#restoreFailed()
    return { stackStatus: isNew ? 'CREATE_FAILED' : 'UPDATE_FAILED', reason: failure }
  }

  async #goForward(
    template: Template,
    { delivery: mode = 'once', rollback = true }: DeployOptions,
  ): Promise<OperationResult> {
    const stop = new AbortController()
    this.#interruption = stop
    this.manner = { mode, signal: stop.signal }
    const scope = this.#scope(template)
    const active = activeTemplate(template, scope)
    const result = await applyTemplate(active, {
      standing: this.#standing,
      effects: this.#effects,
      desired: (logicalId) => this.#settings.resources.desired(logicalId, active, scope),
      // "A failure in one path does not affect other provisioning paths": stack-failure-options.html.
      rule: rollback === true ? 'stop' : 'spare-dependents',
      stop,
    })
    this.manner = {}
    return result.failure === undefined ? { ...result, failure: this.#failureOfOutputs(template) } : result
  }

  /** All resources stand; what the template no longer has, or has replaced, is deleted last. That may fail. */
  async #complete(template: Template, isNew: boolean): Promise<Ending> {
    if (!isNew) this.record.enter('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
    const active = this.#settle(template)
    const dropped = [...this.#standing.values()].filter(({ logicalId }) => active.Resources[logicalId] === undefined)
    const attempts = CLEANUP_ATTEMPTS
    await removeAll(replacedBy(this.#changes), this.#effects, { policy: 'updateReplacePolicy', attempts })
    await removeAll(dropped, this.#effects, { policy: 'deletionPolicy', attempts })
    for (const { logicalId } of dropped) this.#standing.delete(logicalId)
    this.#changes = []
    return { stackStatus: isNew ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE' }
  }

  /** Back to the last good template. Without one, all resources go: that is how RollbackStack is documented. */
  async #rollBack(): Promise<Ending> {
    const ending = await (this.#template === EMPTY ? this.#rollBackCreation() : this.#rollBackUpdate())
    this.record.enter(ending.stackStatus, ending.reason)
    return ending
  }

  async #rollBackCreation(): Promise<Ending> {
    this.record.enter('ROLLBACK_IN_PROGRESS')
    const reasons = await this.#removeEverything({ ofRollback: true })
    return reasons.length === 0
      ? { stackStatus: 'ROLLBACK_COMPLETE' }
      : { stackStatus: 'ROLLBACK_FAILED', reason: reasons.join('; ') }
  }

  async #rollBackUpdate(): Promise<Ending> {
    this.record.enter('UPDATE_ROLLBACK_IN_PROGRESS')
    const stop = new AbortController()
    this.manner = { signal: stop.signal }
    const result = await restoreAll(this.#changes, { standing: this.#standing, effects: this.#effects, stop })
    this.manner = {}
    this.#changes = result.remaining
    this.#doomed = [...this.#doomed, ...result.doomed]
    this.#notRolledBack = result.failed
    const failure = result.failure ?? this.#failureOfOutputs(this.#template)
    if (failure !== undefined) return { stackStatus: 'UPDATE_ROLLBACK_FAILED', reason: failure }
    this.record.enter('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS')
    for (const { logicalId } of this.#changes) this.#standing.delete(logicalId)
    this.#settle(this.#template)
    const made = [...this.#doomed, ...madeBy(this.#changes)]
    await removeAll(made, this.#effects, { policy: 'deletionPolicy', ofRollback: true, attempts: CLEANUP_ATTEMPTS })
    this.#changes = []
    this.#doomed = []
    return { stackStatus: 'UPDATE_ROLLBACK_COMPLETE' }
  }

  /** They count as restored, whatever they are: "the state of the skipped resources will be inconsistent". */
  #skip(logicalIds: readonly string[]): void {
    for (const { logicalId, before } of this.#changes) {
      if (before === undefined || !logicalIds.includes(logicalId)) continue
      this.#standing.set(logicalId, before)
      this.record.events.push({ logicalId, status: 'UPDATE_COMPLETE' })
    }
    this.#changes = this.#changes.filter(({ logicalId }) => !logicalIds.includes(logicalId))
  }

  async #restoreFailed(): Promise<void> {
    for (const change of this.#changes) {
      const current = this.#standing.get(change.logicalId)
      if (current?.failed !== 'update') continue
      await restore(change, { standing: this.#standing, effects: this.#effects })
      this.#standing.set(change.logicalId, current)
    }
  }

  async #delete(options: RemoveOptions = {}): Promise<Ending> {
    this.record.enter('DELETE_IN_PROGRESS')
    const reasons = await this.#removeEverything(options)
    if (reasons.length > 0) return { stackStatus: 'DELETE_FAILED', reason: reasons.join('; ') }
    this.#template = EMPTY
    this.#outputs = {}
    this.record.enter('DELETE_COMPLETE')
    return { stackStatus: 'DELETE_COMPLETE' }
  }

  /** Gives the reasons of the deletions that failed; those resources still stand. */
  async #removeEverything(options: Partial<RemovalOptions>): Promise<readonly string[]> {
    const changed = [...madeBy(this.#changes), ...replacedBy(this.#changes), ...this.#doomed]
    const known = [...this.#standing.values(), ...changed]
    const { reasons, left } = await removeAll(known, this.#effects, { policy: 'deletionPolicy', ...options })
    this.#standing.clear()
    for (const state of left) this.#standing.set(state.logicalId, state)
    this.#changes = []
    this.#doomed = []
    return reasons
  }

  /** The template that the stack now has. */
  #settle(template: Template): Template {
    this.#template = template
    this.#outputs = outputsOf(template, this.#scope(template, shown(this.#standing)))
    const active = activeTemplate(template, this.#scope(template))
    for (const [id, state] of this.#standing) this.#standing.set(id, withAttributes(state, active))
    return active
  }

  /** An output may ask for what a custom resource's answer lacks. */
  #failureOfOutputs(template: Template): string | undefined {
    try {
      outputsOf(template, this.#scope(template))
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }

  #scope(template: Template, resources: ReadonlyMap<string, ResourceState> = this.#standing): Scope {
    const { name: stackName, parameters = {}, imports = {} } = this.#settings.options
    return scopeOf({ template, stackName, stackId: this.record.id, parameters, imports, resources })
  }
}
