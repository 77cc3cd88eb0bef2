import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as cloudformation from '@aws-sdk/client-cloudformation'
import * as lambda from '@aws-sdk/client-lambda'
import * as rds from '@aws-sdk/client-rds'
import * as secretsmanager from '@aws-sdk/client-secrets-manager'
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../../cli/program.ts'
import { parseEvent } from '../../../lambda/on-demand.ts'
import { errorDocument } from '../../../tools/error-document.ts'
import { EXPLANATIONS } from '../../../tools/error-explanations.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const RUNBOOK = read('docs/runbook.md')
const ERRORS = read('docs/errors.md')

/** The lines of all blocks of a shell, comments taken off. */
function shellLines(page: string): readonly string[] {
  const blocks = [...page.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , block = '']) => block)
  return blocks
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => {
      const command = line.trim().replace(/\s+#.*$/, '')
      return command === '' ? [] : [command]
    })
}

/** What stands as code within sentences. */
function inlineCode(page: string): readonly string[] {
  return [...page.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The arguments of a command, as a shell takes them apart. Knows quotes, and no more. */
function argumentsOf(command: string): readonly string[] {
  const words = command.match(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g) ?? []
  return words.map((word) =>
    word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, (_, one?: string, two?: string) => one ?? two ?? ''),
  )
}

function eventsIn(page: string): readonly string[] {
  const payloads = shellLines(page).flatMap((line) => {
    const words = argumentsOf(line)
    return words.includes('--payload') ? [words[words.indexOf('--payload') + 1] ?? ''] : []
  })
  return [...payloads, ...inlineCode(page).filter((code) => code.startsWith('{"action"'))]
}

function lockstepLinesIn(page: string): readonly string[] {
  const inline = inlineCode(page).filter((code) => /^(?:npx )?lockstep [a-z-]/.test(code))
  const inShell = shellLines(page).filter((line) => /^(?:npx )?lockstep /.test(line))
  return [...inShell, ...inline].map((line) => line.replace(/^npx /, ''))
}

describe.each([
  ['docs/runbook.md', RUNBOOK],
  ['docs/errors.md', ERRORS],
])('%s', (_, page) => {
  it('has commands that the command line understands', () => {
    const lines = lockstepLinesIn(page)
    expect(lines).not.toEqual([])
    const wrong = lines.flatMap((line) => {
      const meant = parseCommandLine(argumentsOf(line).slice(1), '0')
      return meant.kind === 'usage' ? [`${line}: ${meant.message}`] : []
    })
    expect(wrong).toEqual([])
  })

  it('has events that the function understands', () => {
    const events = eventsIn(page)
    expect(events).not.toEqual([])
    expect(events.flatMap(refusalOf)).toEqual([])
  })

  it('has links that lead somewhere', () => {
    const links = [...page.matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)]
    const broken = links.filter(([, file = '', anchor = '']) => {
      const target = file === '' ? page : read(join('docs', file))
      return anchor !== '' && !anchorsOf(target).includes(anchor)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

function refusalOf(event: string): readonly string[] {
  try {
    parseEvent(JSON.parse(event))
    return []
  } catch (error) {
    return [`${event}: ${String(error)}`]
  }
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

describe('docs/errors.md', () => {
  it('is what "npm run docs" makes', () => {
    expect(ERRORS).toBe(errorDocument())
  })

  it('has every code, and no other', () => {
    const titles = [...ERRORS.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    const declared = /export type ErrorCode =((?:\s+\| '\w+')+)/.exec(read('lambda/errors.ts'))?.[1] ?? ''
    const codes = [...declared.matchAll(/'(\w+)'/g)].map(([, code]) => code)
    expect(codes.length).toBeGreaterThan(20)
    expect(new Set(titles)).toEqual(new Set(codes))
    expect(titles).toHaveLength(codes.length)
  })
})

describe('docs/runbook.md', () => {
  it('names codes that there are', () => {
    const named = inlineCode(RUNBOOK).filter((code) => /^[A-Z]+(?:_[A-Z]+)+$/.test(code))
    const ofOthers = /^(?:UPDATE_|ROLLBACK_|LOCKSTEP_)/
    expect(named.filter((code) => !(code in EXPLANATIONS) && !ofOthers.test(code))).toEqual([])
  })

  it('has commands of AWS that there are', () => {
    const clients: Readonly<Record<string, object>> = { cloudformation, lambda, rds, secretsmanager }
    const operations = shellLines(RUNBOOK)
      .filter((line) => line.startsWith('aws '))
      .map((line) => argumentsOf(line))
      .filter(([, service]) => service !== 'logs')
    const unknown = operations.filter(([, service = '', operation = '', waiter = '']) => {
      const name = operation === 'wait' ? `waitUntil${pascal(waiter)}` : `${pascal(operation)}Command`
      return !(name in (clients[service] ?? {}))
    })
    expect(operations).not.toEqual([])
    expect(unknown).toEqual([])
  })

  it('has nothing else in its shells', () => {
    const known = /^(?:aws|export|npx lockstep|psql) /
    expect(shellLines(RUNBOOK).filter((line) => !known.test(line))).toEqual([])
  })
})

/** `db-instance` is `DBInstance` in the names of RDS. */
function pascal(words: string): string {
  return words
    .split('-')
    .map((word) => (word === 'db' ? 'DB' : `${word.charAt(0).toUpperCase()}${word.slice(1)}`))
    .join('')
}

it('README links every document', () => {
  const readme = read('README.md')
  const missing = readdirSync(join(ROOT, 'docs')).filter((file) => !readme.includes(`(docs/${file})`))
  expect(missing).toEqual([])
})
