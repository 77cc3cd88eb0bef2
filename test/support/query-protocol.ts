import { randomUUID } from 'node:crypto'
import type { HttpReply, HttpRequest } from './http-server.ts'

/** The fields of a request of the AWS Query protocol: `Action`, and the action's own. */
export function formOf(request: HttpRequest): URLSearchParams {
  return new URLSearchParams(request.body.toString('utf8'))
}

/** How one service answers: its namespace is in every answer. */
export function queryAnswers(namespace: string) {
  return {
    /** @param result - XML */
    result: (action: string, result: string): HttpReply => {
      const metadata = element('ResponseMetadata', elements({ RequestId: randomUUID() }))
      const content = `${element(`${action}Result`, result)}${metadata}`
      return reply(200, `<${action}Response xmlns="${namespace}">${content}</${action}Response>`)
    },
    failure: (status: number, code: string, message: string): HttpReply => {
      const error = element('Error', elements({ Type: 'Sender', Code: code, Message: message }))
      const content = `${error}${elements({ RequestId: randomUUID() })}`
      return reply(status, `<ErrorResponse xmlns="${namespace}">${content}</ErrorResponse>`)
    },
  }
}

/** @param content - XML */
export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`
}

/** Elements that hold texts. */
export function elements(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => element(name, escaped(value)))
    .join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function reply(status: number, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/xml' }, body }
}
