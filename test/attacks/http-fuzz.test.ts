/** Valid requests with a few bytes changed: whatever comes of it, one verdict for one request, and nothing behind a refusal is served. */
import { array, assert, asyncProperty, constantFrom, nat, option, record, tuple } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startListener, type TestListener } from '../listener.ts'

const seeds = [
  'GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  'GET http://x/a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n',
  'POST /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
]
const pieces = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '\x0b',
  '\x7f',
  '\xa0',
  '\xff',
  '0',
  '-1',
  'chunked',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: y\r\n',
  '\r\n\r\n',
  '0\r\n\r\n',
  '#',
  '\\',
  '@',
] as const

const change = record({
  at: nat({ max: 200 }),
  drop: nat({ max: 3 }),
  piece: option(constantFrom(...pieces), { nil: '' }),
})
const mutant = tuple(constantFrom(...seeds), array(change, { minLength: 1, maxLength: 3 })).map(
  ([seed, changes]) =>
    changes.reduce((text, { at, drop, piece }) => {
      const from = at % text.length
      return text.slice(0, from) + piece + text.slice(from + drop)
    }, seed),
)

let listener: TestListener
beforeAll(async () => {
  listener = await startListener({ limits: { headersTimeout: 200, requestTimeout: 250, idleTimeout: 250 } })
})
afterAll(() => listener[Symbol.asyncDispose]())

/** Everything that comes until the server closes, as statuses. */
async function verdicts(bytes: string): Promise<number[]> {
  const client = await listener.client({ patience: 8000 })
  client.send(bytes)
  const statuses: number[] = []
  try {
    for (;;) statuses.push((await client.answer(bytes.startsWith('HEAD') ? 'HEAD' : 'GET')).status)
  } catch {
    // The end of the connection.
  }
  expect(client.isClosed || client.hasEnded || client.error !== undefined).toBe(true)
  client.destroy()
  return statuses
}

describe('a request with changed bytes', () => {
  it('gets verdicts of which a refusal is the last, and never disturbs the listener', async () => {
    await assert(
      asyncProperty(array(mutant, { minLength: 20, maxLength: 20 }), async (mutants) => {
        for (const statuses of await Promise.all(mutants.map(verdicts))) {
          const firstRefusal = statuses.findIndex((status) => status >= 400)
          expect(firstRefusal === -1 || firstRefusal === statuses.length - 1).toBe(true)
          expect(statuses.every((status) => [200, 400, 405, 408].includes(status))).toBe(true)
        }
      }),
      { numRuns: 20, interruptAfterTimeLimit: 60_000 },
    )
    expect(listener.faults).toEqual([])
    const client = await listener.client()
    expect((await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n').answer()).status).toBe(200)
  }, 120_000)
})
