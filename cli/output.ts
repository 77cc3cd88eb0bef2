import { redactDocument, type Redactor } from './redact.ts'

/** The only way out for what a command says: no password gets past it. */
export interface Output {
  /** Results, for a person. */
  readonly text: (text: string) => Promise<void>
  /** The one JSON document. */
  readonly document: (document: unknown) => Promise<void>
  /** Errors and progress. */
  readonly aside: (text: string) => Promise<void>
}

/** Writes to the process's streams; each promise resolves when the text has left. */
export function processOutput(redactor: Redactor): Output {
  // A reader that has seen enough, such as "head", is no failure.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return {
    text: (text) => write(process.stdout, redactor.result(text)),
    document: (document) => write(process.stdout, JSON.stringify(redactDocument(document, redactor), null, 2)),
    aside: (text) => write(process.stderr, redactor.message(text)),
  }
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve()))
}
