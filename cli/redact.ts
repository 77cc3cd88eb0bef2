/** Takes the passwords of a command's arguments and variables out of what it says. */
export interface Redactor {
  /**
   * For errors and progress, which may quote anything: no password in any form, and no credentials in any URL.
   */
  readonly message: (text: string) => string
  /** For results, which must stay exact: only `:password@`, which nothing but a URL holds. */
  readonly result: (text: string) => string
}

const MASK = '***'
/** A shorter password would blacken half of every sentence. */
const SHORTEST_SECRET = 4

export function redactorFor(values: readonly (string | undefined)[]): Redactor {
  const credentials = values.filter((value) => value !== undefined).flatMap(credentialsIn)
  const words = credentials.filter(({ secret, isName }) => secret.length >= SHORTEST_SECRET && !isName)
  const result = replacer(credentials.map(({ secret }) => [`:${secret}@`, `:${MASK}@`]))
  const word = replacer(words.map(({ secret }) => [secret, MASK]))
  return { result, message: (text) => maskUrls(word(result(text))) }
}

/** A remedy shows the form of a URL; there, "password" is a word. */
function maskUrls(text: string): string {
  return text
    .replaceAll(/(:\/\/[^\s:/@'"]*):(?!password@host)[^\s'"]*@/g, `$1:${MASK}@`)
    .replaceAll(/\b(password=)[^\s&'"]+/gi, `$1${MASK}`)
}

function replacer(pairs: readonly (readonly [from: string, to: string])[]): (text: string) => string {
  const longestFirst = pairs.toSorted(([a], [b]) => b.length - a.length)
  return (text) => longestFirst.reduce((rest, [from, to]) => rest.replaceAll(from, to), text)
}

interface Credential {
  readonly secret: string
  /** It is also the user, the host or the database, which a message may well show. */
  readonly isName: boolean
}

/** The password of a URL, as it is written and as it is meant. */
function credentialsIn(value: string): readonly Credential[] {
  const match = /:\/\/([^:]*):(.+)@([^@]*)$/s.exec(value)
  if (match === null) return []
  const [, user = '', password = '', place = ''] = match
  const names = [decoded(user), ...place.split(/[:/?#]/).map(decoded)]
  const secrets = new Set([password, decoded(password)])
  return [...secrets].map((secret) => ({ secret, isName: names.includes(secret) }))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Redacts every text in a document of plain data: under a key `error` as a message, elsewhere as a result. */
export function redactDocument(document: unknown, redactor: Redactor, redact = redactor.result): unknown {
  if (typeof document === 'string') return redact(document)
  if (Array.isArray(document)) return document.map((entry) => redactDocument(entry, redactor, redact))
  if (typeof document !== 'object' || document === null) return document
  const entries = Object.entries(document).map(([key, value]) => {
    const next = key === 'error' ? redactor.message : redact
    return [key, redactDocument(value, redactor, next)] as const
  })
  return Object.fromEntries(entries)
}
