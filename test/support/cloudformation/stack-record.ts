import { randomUUID } from 'node:crypto'
import { arn } from '../aws.ts'
import type { StackDescription } from './stack-description.ts'
import type { StackEvent } from './stack-event.ts'
import type { StackStatus } from './stack-status.ts'

/** What anybody may know of a stack: its id, its status and its events. */
export class StackRecord {
  id = ''
  status: StackStatus | null = null
  /** Why the last operation failed. */
  reason: string | undefined
  readonly events: StackEvent[] = []
  readonly #name: string
  readonly #parentId: () => string | undefined
  readonly #deleted: StackDescription[] = []
  #createdAt = new Date()

  constructor(name: string, parentId: () => string | undefined = () => undefined) {
    this.#name = name
    this.#parentId = parentId
    this.renew()
  }

  /** A stack that is made again after its deletion is another one. */
  renew(): void {
    if (this.status !== null) this.#deleted.push(...this.describe().slice(0, 1))
    this.id = arn('cloudformation', `stack/${this.#name}/${randomUUID()}`)
    this.status = null
    this.#createdAt = new Date()
    this.reason = undefined
  }

  enter(status: StackStatus, reason?: string): void {
    if (this.status === status) return
    this.status = status
    this.events.push({ logicalId: this.#name, status, ...(reason === undefined ? {} : { reason }) })
  }

  isIn(...statuses: readonly StackStatus[]): boolean {
    return this.status !== null && statuses.includes(this.status)
  }

  /** The stack as it is, and those of its name that were deleted. */
  describe(): readonly StackDescription[] {
    const { id, status, reason } = this
    if (status === null) return this.#deleted
    const parentId = this.#parentId()
    const own = { id, name: this.#name, status, reason, createdAt: this.#createdAt }
    return [parentId === undefined ? own : { ...own, parentId }, ...this.#deleted]
  }

  /** @throws Error where an operation is in work, or the stack has come to one of these. */
  refuse(...statuses: readonly StackStatus[]): void {
    const isBusy = this.status?.endsWith('_IN_PROGRESS') === true
    if (isBusy || this.isIn(...statuses)) throw new Error(`The stack is in ${this.status} and cannot be changed.`)
  }
}
