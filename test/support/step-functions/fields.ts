export type Fields = Readonly<Record<string, unknown>>

/** @param known - @default any field */
export function fieldsOf(where: string, value: unknown, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} is no object`)
  const unknown = Object.keys(value).find((key) => known !== undefined && !known.includes(key))
  if (unknown !== undefined) throw invalid(`"${unknown}" of ${where} is not simulated`)
  return value as Fields
}

export function listOf(where: string, value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalid(`${where} is no list`)
  return value
}

export function numberOf(where: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault
  if (typeof value !== 'number') throw invalid(`${where} is no number`)
  return value
}

export function textOf(where: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(`${where} is no text`)
  return value
}

export function invalid(reason: string): Error {
  return new Error(`Invalid State Machine Definition: ${reason}`)
}
