import type { Properties } from './template.ts'

/** What stands behind a resource: a function, a custom resource's function, a state machine, a test, or nothing. */
export type ResourceKind = 'function' | 'custom' | 'state-machine' | 'added' | 'inert'

/** A resource as the template wants it, with its properties resolved. */
export interface DesiredResource {
  readonly logicalId: string
  readonly type: string
  readonly kind: ResourceKind
  readonly properties: Properties
  /** Logical ids of all that must stand before it, also of what those depend on. */
  readonly dependsOn: ReadonlySet<string>
  /** What becomes of it at the end. @default 'Delete' */
  readonly deletionPolicy?: string
  /** What becomes of it when another takes its place. @default 'Delete' */
  readonly updateReplacePolicy?: string
}

/** A resource as it stands. */
export interface ResourceState extends DesiredResource {
  /** What `Ref` gives. */
  readonly physicalId: string
  /** What `Fn::GetAtt` gives. */
  readonly attributes: Properties
  /** The attributes are not for everybody's eyes: outputs show asterisks. @default false */
  readonly noEcho?: boolean
  /** The operation that failed and was not rolled back: `CREATE_FAILED` or `UPDATE_FAILED`. */
  readonly failed?: 'create' | 'update'
}

/** What came of a change. A failed one may still have made something that must be deleted. */
export type Change =
  | { readonly ok: true; readonly physicalId: string; readonly attributes: Properties; readonly noEcho?: boolean }
  | {
      readonly ok: false
      readonly reason: string
      readonly physicalId?: string
      /** CloudFormation refused by itself, so there is nothing to take back. @default false */
      readonly refused?: boolean
      /** It failed only because the operation ended before it. @default false */
      readonly cancelled?: boolean
    }

/** What knows how to make, change and delete one kind of resource. */
export interface ResourceHandler {
  readonly create: (desired: DesiredResource) => Promise<Change>
  readonly update: (desired: DesiredResource, current: ResourceState) => Promise<Change>
  readonly remove: (current: ResourceState) => Promise<Change>
}

/** Real values for a resource that is only pretended, such as the name of a bucket that a test made. */
interface PhysicalValues {
  /** What `Ref` gives. */
  readonly ref?: string
  /** What `Fn::GetAtt` gives. */
  readonly attributes?: Properties
}

export type PhysicalLookup = (resource: DesiredResource) => PhysicalValues | undefined

/** Resources as they stand, by logical id. */
export type StackResources = Map<string, ResourceState>
