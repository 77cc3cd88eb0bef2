import type { Severity } from '../../lambda/analysis-contract.ts'
import type { Style } from './style.ts'
import { indent, wrap } from './table.ts'

/** Something to say of a place in a file. */
export interface Finding {
  /** A stable id. */
  readonly rule: string
  readonly severity: Severity
  /** Path of the file, as a terminal or a pull request finds it. */
  readonly path: string
  /** 1-based; null: of the whole file. */
  readonly line: number | null
  /** 1-based, in characters. */
  readonly column?: number | undefined
  readonly message: string
  /** The line itself. @default not shown */
  readonly excerpt?: string | undefined
  /** Labelled sentences below: `['Blocks', '…']`. */
  readonly notes: readonly (readonly [label: string, text: string])[]
  /** SQL to write instead. @default not shown */
  readonly code?: string | undefined
  /** Why it is accepted. Null: it is not. */
  readonly allowed?: string | null | undefined
}

export const FINDING_FORMATS = ['text', 'github', 'sarif'] as const
export type FindingFormat = (typeof FINDING_FORMATS)[number]

const WIDTH = 100

/** For a person: where, what, and what to do. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  return findings.map((finding) => renderFinding(finding, style)).join('\n\n')
}

function renderFinding(finding: Finding, style: Style): string {
  const { rule, message, excerpt, notes, code, allowed } = finding
  const title = `${markOf(finding, style)}  ${style.quiet(placeOf(finding))}`
  const lines = [title, indent(wrap(message, WIDTH - 2))]
  if (excerpt !== undefined) lines.push(indent(style.quiet(excerpt), 4))
  if (typeof allowed === 'string') lines.push(indent(labelled('Allowed', allowed, style)))
  else for (const [label, text] of notes) lines.push(indent(labelled(label, text, style)))
  if (code !== undefined && typeof allowed !== 'string') lines.push(indent(code, 4 + LABEL))
  return lines.join('\n') || rule
}

const MARKS: { readonly [S in Severity]: string } = { notice: '·', warning: '!', error: '✗', critical: '✗✗' }

function markOf({ rule, severity, allowed }: Finding, style: Style): string {
  const text = `${MARKS[severity]} ${rule}`
  if (typeof allowed === 'string' || severity === 'notice') return style.quiet(text)
  return severity === 'warning' ? style.attention(text) : style.bad(text)
}

function placeOf({ path, line, column }: Finding): string {
  return [path, line, column].filter((part) => part !== null && part !== undefined).join(':')
}

const LABEL = 8

function labelled(label: string, text: string, style: Style): string {
  const [first = '', ...rest] = wrap(text, WIDTH - LABEL - 2).split('\n')
  return [`${style.quiet(label.padEnd(LABEL))}${first}`, ...rest.map((line) => indent(line, LABEL))].join('\n')
}

const COMMANDS: { readonly [S in Severity]: string } = {
  notice: 'notice',
  warning: 'warning',
  error: 'error',
  critical: 'error',
}

/** Workflow commands, which GitHub shows beside the lines of a pull request. */
export function renderGithub(findings: readonly Finding[]): string {
  return findings.map(githubCommand).join('\n')
}

function githubCommand(finding: Finding): string {
  const { rule, severity, path, line, column, allowed } = finding
  const command = typeof allowed === 'string' ? 'notice' : COMMANDS[severity]
  const place = [
    `file=${property(path)}`,
    ...(line === null ? [] : [`line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`]),
    `title=${property(rule)}`,
  ]
  return `::${command} ${place.join(',')}::${escaped(plainText(finding))}`
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function plainText({ message, notes, code, allowed }: Finding): string {
  if (typeof allowed === 'string') return `${message}\nAllowed: ${allowed}`
  return [message, ...notes.map(([label, text]) => `${label}: ${text}`), ...(code === undefined ? [] : [code])].join(
    '\n',
  )
}

const LEVELS: { readonly [S in Severity]: string } = {
  notice: 'note',
  warning: 'warning',
  error: 'error',
  critical: 'error',
}

/** Static Analysis Results Interchange Format 2.1.0, which code-scanning services read. */
export function renderSarif(
  findings: readonly Finding[],
  tool: { readonly version: string; readonly titleOf: (rule: string) => string | null },
): string {
  const rules = [...new Set(findings.map(({ rule }) => rule))].toSorted()
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'lockstep',
            version: tool.version,
            rules: rules.map((id) => ({ id, shortDescription: { text: tool.titleOf(id) ?? id } })),
          },
        },
        results: findings.map((finding) => sarifResult(finding, rules.indexOf(finding.rule))),
      },
    ],
  }
  return JSON.stringify(document, null, 2)
}

function sarifResult(finding: Finding, ruleIndex: number): unknown {
  const { rule, severity, path, line, column, allowed } = finding
  const region =
    line === null ? {} : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } }
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: plainText(finding) },
    locations: [{ physicalLocation: { artifactLocation: { uri: path.split('\\').join('/') }, ...region } }],
    ...(typeof allowed === 'string' ? { suppressions: [{ kind: 'inSource', justification: allowed }] } : {}),
  }
}
