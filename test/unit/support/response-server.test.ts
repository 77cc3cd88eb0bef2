import { expect, onTestFinished, test } from 'vitest'
import { startResponseServer } from '../../support/cloudformation/response-server.ts'

const IDS = { StackId: 'arn:stack', RequestId: 'request' }

async function server(): Promise<{
  readonly put: (answer: string) => Promise<number>
  readonly received: () => readonly string[]
  readonly lose: (count: number) => void
}> {
  const responses = await startResponseServer()
  onTestFinished(() => responses.stop())
  const url = new URL(responses.urlFor(IDS.StackId, 'Resource', IDS.RequestId))
  const local = new URL(url.pathname + url.search, responses.endpoint)
  return {
    put: async (body) => (await fetch(local, { method: 'PUT', body })).status,
    received: () => responses.answers(IDS.RequestId),
    lose: responses.lose,
  }
}

test('takes an answer to the request whose URL it comes by, each time', async () => {
  const { put, received } = await server()
  const answer = JSON.stringify({ ...IDS, Status: 'SUCCESS' })
  expect([await put(answer), await put(answer)]).toEqual([200, 200])
  expect(received()).toEqual([answer, answer])
})

test('does not look at an answer to another request or of another stack', async () => {
  const { put, received } = await server()
  for (const wrong of [{ RequestId: 'other' }, { StackId: 'other' }]) await put(JSON.stringify({ ...IDS, ...wrong }))
  await put('no JSON')
  expect(received()).toEqual(['no JSON'])
})

test('loses as many answers as it is told', async () => {
  const { put, received, lose } = await server()
  const answer = JSON.stringify(IDS)
  lose(1)
  expect(await put(answer)).toBe(200)
  expect(received()).toEqual([])
  await put(answer)
  expect(received()).toEqual([answer])
})
