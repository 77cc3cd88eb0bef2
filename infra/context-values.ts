import type { Node } from 'constructs'
import { SynthesisError } from './synthesis-error.ts'

/** Context from a command line is text; from `cdk.json` it may be a number or a list as well. */
export function textOf(node: Node, key: string): string | undefined {
  const value: unknown = node.tryGetContext(key)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(String).join(',')
  throw invalidContext(key, JSON.stringify(value), 'Give a text.')
}

/** The entries of a list, which on a command line are separated by commas. */
export function listOf(node: Node, key: string): readonly string[] {
  const entries = (textOf(node, key) ?? '').split(',').map((entry) => entry.trim())
  return entries.filter((entry) => entry !== '')
}

/** One of the known values. @throws SynthesisError naming them. */
export function oneOf<T extends string>(node: Node, key: string, known: readonly T[]): T | undefined {
  const value = textOf(node, key)
  if (value === undefined) return undefined
  const found = known.find((entry) => entry === value)
  if (found === undefined) throw invalidContext(key, value, `Give one of: ${known.join(', ')}.`)
  return found
}

/** A number that is not negative. @throws SynthesisError naming the key and the value received. */
export function numberOf(node: Node, key: string, what: string): number | undefined {
  const value = textOf(node, key)
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isFinite(number) || number <= 0) throw invalidContext(key, value, `Give a number of ${what}.`)
  return number
}

/** What is wrong with a value of the context, and what to give. */
export function invalidContext(key: string, value: string, remedy: string): SynthesisError {
  return new SynthesisError(`CONFIG_INVALID: the context value "${key}" is "${value}". ${remedy}`)
}
