import type { StackStatus } from './stack-status.ts'

/** What DescribeStacks says of a stack. */
export interface StackDescription {
  readonly id: string
  readonly name: string
  readonly status: StackStatus
  readonly reason: string | undefined
  readonly createdAt: Date
  /** Of the stack around a nested one. @default it is nested in none */
  readonly parentId?: string
}
