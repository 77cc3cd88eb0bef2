/** A statement of a policy, as it stands in a template. */
export interface Statement {
  readonly Action: string | readonly string[]
  readonly Effect: string
  readonly Resource: unknown
  readonly Condition?: unknown
}

/** What is asked for. `conditions` are the request's own values of condition keys. */
export interface Attempt {
  readonly action: string
  readonly resource: string
  readonly conditions?: Readonly<Record<string, string>>
}

/** Whether policies with these statements let somebody do it. Knows what Lockstep's statements use of IAM. */
export function allows(statements: readonly Statement[], attempt: Attempt): boolean {
  return statements.some((statement) => {
    if (statement.Effect !== 'Allow') throw new Error(`The effect ${statement.Effect} is not evaluated here`)
    return (
      listOf(statement.Action).some((pattern) => matches(String(pattern), attempt.action)) &&
      listOf(statement.Resource).some((pattern) => matches(textOf(pattern), attempt.resource)) &&
      meets(statement.Condition, attempt.conditions ?? {})
    )
  })
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(value)
}

/** An ARN with its references written out: `{Ref: 'Bucket'}` and `{'Fn::GetAtt': ['Bucket', 'Arn']}` are `<Bucket>`. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const fields = value as Readonly<Record<string, unknown>>
  if (typeof fields['Ref'] === 'string') return `<${fields['Ref']}>`
  if (Array.isArray(fields['Fn::GetAtt'])) return `<${String(fields['Fn::GetAtt'][0])}>`
  const [separator, parts] = fields['Fn::Join'] as readonly [string, readonly unknown[]]
  return parts.map(textOf).join(separator)
}

function meets(condition: unknown, values: Readonly<Record<string, string>>): boolean {
  return Object.entries((condition ?? {}) as Readonly<Record<string, object>>).every(([operator, keys]) => {
    if (!['StringEquals', 'StringLike'].includes(operator)) throw new Error(`${operator} is not evaluated here`)
    return Object.entries(keys).every(([key, wanted]) => {
      const value = values[key]
      return value !== undefined && listOf(wanted).some((pattern) => matches(textOf(pattern), value))
    })
  })
}
