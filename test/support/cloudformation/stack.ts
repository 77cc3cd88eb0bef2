import { randomUUID } from 'node:crypto'
import { arn } from '../aws.ts'
import type { LambdaService } from '../lambda/service.ts'
import type { Assembly } from './assembly.ts'
import { customResources } from './custom-resource.ts'
import { createDelivery, type Delivery, type DeliveryMode } from './delivery.ts'
import { functionResources } from './function-resource.ts'
import { inertResources } from './inert-resource.ts'
import { resolveValue, type Scope } from './intrinsics.ts'
import {
  applyTemplate,
  isMade,
  removeAll,
  type OperationResult,
  type StackResources,
  type Touched,
} from './operation.ts'
import { activeResources, createResources, type Resources } from './resources.ts'
import type { ResponseServer } from './response-server.ts'
import { rollBackUpdate } from './rollback.ts'
import { scopeOf } from './scope.ts'
import type { Deployment, DeployOptions, Stack, StackOptions, StackStatus } from './stack-types.ts'
import type { Properties, Template } from './template.ts'

/** Makes a stack without resources. Deployments of one stack are made one after the other. */
export function createStack(options: StackOptions, lambda: LambdaService, responses: ResponseServer): Stack {
  const engine = new StackEngine(options, lambda, responses)
  return {
    id: engine.id,
    deploy: (assembly, deployOptions = {}) => engine.deploy(assembly, deployOptions),
    continueUpdateRollback: () => engine.continueUpdateRollback(),
    remove: () => engine.remove(),
    redeliver: (event) => engine.delivery.send(event),
    responses: engine.delivery.responses,
  }
}

const EMPTY: Template = { Resources: {} }

interface UnfinishedRollback {
  readonly touched: readonly Touched[]
  readonly failed: Template
}

class StackEngine {
  readonly id: string
  readonly delivery: Delivery
  readonly #options: StackOptions
  readonly #standing: StackResources = new Map()
  readonly #assets = new Map<string, string>()
  readonly #resources: Resources
  #template = EMPTY
  #mode: DeliveryMode = 'once'
  #unfinished: UnfinishedRollback | undefined

  constructor(options: StackOptions, lambda: LambdaService, responses: ResponseServer) {
    const { name: stackName, adjust = (definition) => definition, physical = () => undefined } = options
    this.#options = options
    this.id = arn('cloudformation', `stack/${stackName}/${randomUUID()}`)
    this.delivery = createDelivery(lambda, responses)
    const { id: stackId, delivery } = this
    const assets = this.#assets
    const handlers = {
      functions: functionResources({ stackName, lambda, assets, responseEndpoint: responses.endpoint, adjust }),
      customResources: customResources({ stackId, stackName, delivery, responses, mode: () => this.#mode }),
      inert: inertResources(stackName, physical),
    }
    this.#resources = createResources(handlers, lambda)
  }

  async deploy(assembly: Assembly, { failLater = false, delivery = 'once' }: DeployOptions): Promise<Deployment> {
    if (this.#unfinished !== undefined) throw new Error('The stack is in UPDATE_ROLLBACK_FAILED: continue that first.')
    for (const [key, directory] of assembly.assets) this.#assets.set(key, directory)
    const seen = this.delivery.responses().length
    const isNew = this.#standing.size === 0
    const { template } = assembly
    this.#mode = delivery
    const result = await applyTemplate(template, this.#standing, this.#scope(template), this.#resources)
    this.#mode = 'once'
    const failure = result.failure ?? (failLater ? 'A later resource failed.' : undefined)
    if (failure === undefined) return this.#complete(result, template, isNew, seen)
    const status = isNew ? await this.#rollBackCreation(template) : await this.#rollBackUpdate(result, template)
    return this.#deployment(status, failure, seen)
  }

  async continueUpdateRollback(): Promise<Deployment> {
    const seen = this.delivery.responses().length
    const unfinished = this.#unfinished
    if (unfinished === undefined) throw new Error('The stack is not in UPDATE_ROLLBACK_FAILED.')
    const status = await this.#rollBackUpdate(unfinished, unfinished.failed)
    return this.#deployment(status, undefined, seen)
  }

  async remove(): Promise<Deployment> {
    const seen = this.delivery.responses().length
    const failures = await removeAll([...this.#standing.values()], this.#template, this.#resources)
    if (failures.length > 0) return this.#deployment('DELETE_FAILED', failures.join('; '), seen)
    this.#standing.clear()
    this.#template = EMPTY
    return this.#deployment('DELETE_COMPLETE', undefined, seen)
  }

  /** All resources stand; what the template no longer has, or has replaced, is deleted last. That may fail. */
  async #complete({ touched }: OperationResult, template: Template, isNew: boolean, seen: number): Promise<Deployment> {
    const old = this.#template
    this.#template = template
    const active = activeResources(template, this.#scope(template))
    const dropped = [...this.#standing.values()].filter(({ logicalId }) => active[logicalId] === undefined)
    const replaced = touched.filter(isMade).flatMap(({ before }) => before ?? [])
    await removeAll([...replaced, ...dropped], old, this.#resources)
    for (const { logicalId } of dropped) this.#standing.delete(logicalId)
    return this.#deployment(isNew ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE', undefined, seen)
  }

  async #rollBackCreation(template: Template): Promise<StackStatus> {
    const failures = await removeAll([...this.#standing.values()], template, this.#resources)
    this.#standing.clear()
    return failures.length === 0 ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED'
  }

  async #rollBackUpdate({ touched }: Pick<OperationResult, 'touched'>, failed: Template): Promise<StackStatus> {
    const templates = { old: this.#template, failed }
    const { remaining, failure } = await rollBackUpdate(touched, templates, this.#standing, this.#resources)
    this.#unfinished = failure === undefined ? undefined : { touched: remaining, failed }
    return failure === undefined ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_FAILED'
  }

  #deployment(stackStatus: StackStatus, reason: string | undefined, seen: number): Deployment {
    return { stackStatus, reason, responses: this.delivery.responses().slice(seen), outputs: this.#outputs() }
  }

  #outputs(): Properties {
    const scope = this.#scope(this.#template)
    const outputs = Object.entries(this.#template.Outputs ?? {}).filter(
      ([, { Condition: condition }]) => condition === undefined || scope.condition(condition) === true,
    )
    return Object.fromEntries(outputs.map(([name, { Value: value }]) => [name, resolveValue(value, scope)]))
  }

  #scope(template: Template): Scope {
    const { name: stackName, parameters = {}, imports = {} } = this.#options
    return scopeOf({ template, stackName, stackId: this.id, parameters, imports, resources: this.#standing })
  }
}
