/**
 * What RFC 9113 and RFC 7541 demand of a server, frame by frame, along the list that h2spec tries: asked of ours and of a plain
 * server of node:http2, which is below ours. Ours must be no worse in any case.
 */
import { createServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBody, startListener, type TestListener } from '../listener.ts'
import { frameClient } from '../support/http2-frames.ts'
import { cases as frameCases } from './http2/frames.ts'
import { cases as messageCases } from './http2/messages.ts'
import type { Case, Verdict } from './http2/verdict.ts'

let ours: TestListener
let plain: Http2Server
beforeAll(async () => {
  ours = await startListener({
    h2c: true,
    handle(request) {
      const answer = (): void => request.answer({ status: 200, fields: [], body: 'an answer' })
      if (request.hasBody) readBody(request).then(answer, () => undefined)
      else answer()
    },
  })
  plain = createServer((request, response) => {
    request.on('error', () => undefined).resume()
    request.on('end', () => response.end('an answer'))
  })
  plain.on('sessionError', () => undefined)
  await new Promise<void>((resolve) => {
    plain.listen(0, '127.0.0.1', resolve)
  })
})
afterAll(async () => {
  plain.close()
  await ours[Symbol.asyncDispose]()
})

async function verdictOn(port: number, each: Case): Promise<Verdict> {
  const client = await frameClient({ port, settings: each.isBare === true ? false : (each.settings ?? []) })
  try {
    await each.send(client)
    return await each.expect(client)
  } finally {
    client.destroy()
  }
}

const all = [...frameCases, ...messageCases]

describe.each([...new Set(all.map(({ section }) => section))])('section %s', (section) => {
  const own = all.filter((each) => each.section === section)
  it.each(own.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const [here, there] = await Promise.all([
      verdictOn(ours.running.port, each),
      verdictOn((plain.address() as AddressInfo).port, each),
    ])
    // Where both fail the case says why; where node:http2 alone does, all the better.
    if (each.lax === undefined || there === undefined) expect(here).toBeUndefined()
  })
})
