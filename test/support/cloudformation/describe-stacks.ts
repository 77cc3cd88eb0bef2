import { AWS } from '../aws.ts'
import type { HttpAnswer, HttpReply, HttpRequest } from '../http-server.ts'
import { elements, formOf, queryAnswers } from '../query-protocol.ts'
import type { StackDescription } from './stack-description.ts'

/** How DescribeStacks meets those who ask: `denied` lacks the permission, `hangs` has no route. */
export type DescribeMode = 'answers' | 'denied' | 'hangs'

const { result, failure } = queryAnswers('http://cloudformation.amazonaws.com/doc/2010-05-15/')

/** Answers a request of the AWS Query protocol, of which DescribeStacks of one stack is known. */
export function answerQuery(request: HttpRequest, stacks: readonly StackDescription[], mode: DescribeMode): HttpAnswer {
  if (mode === 'hangs') return 'hang'
  const form = formOf(request)
  const action = form.get('Action') ?? ''
  const wanted = form.get('StackName') ?? ''
  if (mode === 'denied') return denied(action, wanted)
  if (action !== 'DescribeStacks') return failure(400, 'InvalidAction', `Could not find operation ${action}`)
  const found = find(stacks, wanted)
  if (found === undefined) return failure(400, 'ValidationError', `Stack with id ${wanted} does not exist`)
  return result('DescribeStacks', stacksElement(found))
}

/** A deleted stack is known by its id only. */
function find(stacks: readonly StackDescription[], wanted: string): StackDescription | undefined {
  return stacks.find(({ id, name, status }) => id === wanted || (name === wanted && status !== 'DELETE_COMPLETE'))
}

function stacksElement({ id, name, status, reason, createdAt, parentId }: StackDescription): string {
  const members = {
    StackId: id,
    StackName: name,
    CreationTime: createdAt.toISOString(),
    StackStatus: status,
    ...(reason === undefined ? {} : { StackStatusReason: reason }),
    DisableRollback: 'false',
    ...(parentId === undefined ? {} : { ParentId: parentId }),
  }
  return `<Stacks><member>${elements(members)}</member></Stacks>`
}

function denied(action: string, stack: string): HttpReply {
  const caller = `arn:${AWS.partition}:sts::${AWS.account}:assumed-role/function/session`
  return failure(
    403,
    'AccessDenied',
    `User: ${caller} is not authorized to perform: cloudformation:${action} on resource: ${stack} because no identity-based policy allows the cloudformation:${action} action`,
  )
}
