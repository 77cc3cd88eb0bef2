/** Takes passwords that stand in SQL out of what is said of it. Finds them by what stands before them, not by a parser: what fails may not be SQL. */

interface Range {
  readonly from: number
  readonly to: number
}

/** A text with its secrets masked. It has as many lines as before. */
export interface Masked {
  readonly text: string
  /** Where a place of the original text is in it. */
  readonly placeOf: (offset: number) => number
}

const MASK = '***'
/** A shorter one would blacken half of every sentence. */
const SHORTEST_SECRET = 4

/** Also within the literal of another one, where quotes are doubled, and without an end. */
const LITERAL = String.raw`(?:''(?:[^']|'{4})+(?:''|$)|[eE]?'(?:[^'\\]|''|\\.)*(?:'|$)|\$(?<tag>\w*)\$.*?(?:\$\k<tag>\$|$))`
/** A token alone is also what a parser did not expect. */
const WORDS = 'connection|\\w*(?:password|passwd|passphrase|secret|api_?key|access_?key)\\w*|\\w+_token'

const PATTERNS: readonly RegExp[] = [
  // PASSWORD 'x', CONNECTION 'x', OPTIONS (password 'x'): an option's name may be quoted.
  new RegExp(String.raw`\b(?:${WORDS})"?\s+(?<secret>${LITERAL})`, 'dgis'),
  // password=x within a connection string, password = 'x' in a statement.
  new RegExp(String.raw`\b(?:password|passwd)\s*=\s*(?<secret>${LITERAL})`, 'dgis'),
  /\b(?:password|passwd)=(?<secret>[^\s'"&;,)$]+)/dgi,
  /:\/\/[^\s:/@'"]*:(?!password@host)(?<secret>[^\s'"@]+)@/dgi,
  // PASSWORD x, which is an error that names it.
  /\b(?:create|alter)\s+(?:role|user|group)\s+(?!mapping\b)[^;']*?\bpassword\s+(?!null\b)(?<secret>[^\s;'$]+)/dgi,
]

/** Masks what a reader of an error, a log or a plan must not see. */
export function maskSecrets(text: string): string {
  return maskedText(text).text
}

/** Masks in what is said of some SQL the secrets of that SQL too, which PostgreSQL may quote. */
export function maskSecretsOf(sql: string, said: string): string {
  const values = rangesIn(sql).map(({ from, to }) => sql.slice(from, to).replace(/^e?'+|'+$/gi, ''))
  const longestFirst = values.filter(({ length }) => length >= SHORTEST_SECRET).toSorted((a, b) => b.length - a.length)
  return maskSecrets(longestFirst.reduce((rest, value) => rest.replaceAll(value, MASK), said))
}

/** {@link maskSecrets}, for whoever has to show a place in the text. */
export function maskedText(text: string): Masked {
  const ranges = rangesIn(text)
  let masked = ''
  let at = 0
  const shifts = ranges.map(({ from, to }) => {
    masked += `${text.slice(at, from)}${maskOf(text.slice(from, to))}`
    at = to
    return { from, to, shift: masked.length - to }
  })
  const placeOf = (offset: number): number => {
    const last = shifts.findLast(({ from }) => from < offset)
    if (last === undefined) return offset
    return Math.max(offset, last.to) + last.shift
  }
  return { text: masked + text.slice(at), placeOf }
}

function maskOf(secret: string): string {
  const lines = '\n'.repeat(secret.split('\n').length - 1)
  return `${/^[e$]?['$]/i.test(secret) ? `'${MASK}'` : MASK}${lines}`
}

/** In their order, none within another. */
function rangesIn(text: string): readonly Range[] {
  const found = PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(({ indices }) => {
      const [from, to] = indices?.groups?.['secret'] ?? []
      return from === undefined || to === undefined ? [] : [{ from, to }]
    }),
  ).toSorted((a, b) => a.from - b.from || b.to - a.to)
  const apart: Range[] = []
  for (const range of found) if (range.from >= (apart.at(-1)?.to ?? 0)) apart.push(range)
  return apart
}
