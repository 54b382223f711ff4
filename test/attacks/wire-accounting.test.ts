/** However a request ends, and whoever ends it: it is counted once, recorded once, and holds nothing afterwards. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { until } from '../listener.ts'
import { rawClient, type RawClient } from '../raw-client.ts'
import { auditEvents } from '../support/audit-events.ts'
import { startRawUpstream, type RawConnection, type RawUpstream } from '../support/raw-upstream.ts'

interface Case {
  readonly request: string
  readonly upstream: (connection: RawConnection) => unknown
  /** What the client does meanwhile. */
  readonly client?: (client: RawClient, upstream: () => RawConnection | undefined) => unknown
  /** Codes under which it may be counted. */
  readonly codes: readonly number[]
}

const get = 'GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (length: number, body: string): string =>
  `POST /r/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const leaves = async (client: RawClient): Promise<void> => {
  await delay(50)
  client.reset()
}

const cases: Record<string, Case> = {
  'a whole answer': { request: get, upstream: (c) => c.answer('ok'), codes: [200] },
  'an answer that turns bad in its first packet': {
    request: get,
    upstream: (c) => c.send(`${chunkedHead}2\r\nok\r\nrubbish`),
    // Where the head has left already it is a cut answer.
    codes: [200, 502],
  },
  'an answer that turns bad later': {
    request: get,
    async upstream(c) {
      c.send(`${chunkedHead}2\r\nok\r\n`)
      await delay(30)
      c.send('rubbish')
    },
    codes: [200],
  },
  'an answer with a surplus': {
    request: get,
    upstream: (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more'),
    codes: [200],
  },
  'no answer': { request: get, upstream: (c) => c.socket.resetAndDestroy(), codes: [502] },
  'half a head': {
    request: get,
    async upstream(c) {
      c.send('HTTP/1.1 200 OK\r\nConte')
      await delay(20)
      c.socket.end()
    },
    codes: [502],
  },
  'an answer that is reset in its first turn': {
    request: get,
    upstream(c) {
      c.send('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok')
      c.socket.resetAndDestroy()
    },
    codes: [200, 502],
  },
  'an answer that breaks off': {
    request: get,
    async upstream(c) {
      c.send('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok')
      await delay(30)
      c.socket.end()
    },
    codes: [200],
  },
  'an answer that stops': {
    request: get,
    upstream: (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok'),
    codes: [200],
  },
  silence: { request: get, upstream: () => undefined, codes: [504] },
  'a client that leaves before the answer': {
    request: get,
    upstream: () => undefined,
    client: leaves,
    codes: [400],
  },
  'a client that leaves within the answer': {
    request: get,
    upstream: (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok'),
    client: leaves,
    codes: [200],
  },
  'a client that leaves within its body': {
    request: post(100, 'half'),
    upstream: () => undefined,
    client: leaves,
    codes: [400],
  },
  'an answer before the body has come': {
    request: post(100, 'half'),
    upstream: (c) => c.send('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n'),
    codes: [413],
  },
  'a body that turns bad': {
    request: 'POST /r/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
    upstream: () => undefined,
    async client(client) {
      await delay(30)
      client.send('rubbish')
    },
    codes: [400],
  },
  'a body that gets too large': {
    request: 'POST /r/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
    upstream: () => undefined,
    async client(client) {
      await delay(30)
      client.send(`1000\r\n${'x'.repeat(4096)}\r\n`)
    },
    codes: [413],
  },
  'a body that does not come': { request: post(100, 'half'), upstream: () => undefined, codes: [408] },
  'too many interim answers': {
    request: get,
    upstream: (c) => c.send('HTTP/1.1 103 Hints\r\n\r\n'.repeat(50)),
    codes: [502],
  },
  'a 101 that nobody asked for': {
    request: get,
    upstream: (c) => c.send('HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    codes: [502],
  },
}

async function setUp(
  dataPlane: string,
  each: Case,
): Promise<{ readonly test: TestGateway; readonly raw: RawUpstream }> {
  const raw = await startRawUpstream(async (connection) => {
    for (;;) {
      await connection.head()
      await each.upstream(connection)
    }
  })
  const test = await startTestGateway(`
version: 1
dataPlane: ${dataPlane}
limits: { idleTimeout: 600ms, requestTimeout: 500ms, headersTimeout: 500ms, body: 1KiB }
upstreams:
  one: { targets: ["${raw.url}"], timeouts: { connect: 1s, response: 400ms }, retries: { attempts: 0 } }
routes: [{ id: r, match: { path: /r/* }, authenticate: none, upstream: one }]
`)
  onTestFinished(async () => {
    await test.stop()
    await raw.close()
  })
  return { test, raw }
}

/** @returns how often each code was counted on the route, and the observations of the two durations */
async function counted(test: TestGateway): Promise<{ codes: Record<string, number>; durations: number[] }> {
  const url = `${test.gateway.adminUrl}/metrics`
  const text = await (await fetch(url, { headers: { connection: 'close' } })).text()
  const codes: Record<string, number> = {}
  for (const [, labels = '', value] of text.matchAll(/^portcullis_requests_total\{([^}]*)\} (\d+)$/gm)) {
    if (Number(value) > 0) codes[/code="(\d+)"/.exec(labels)![1]!] = Number(value)
  }
  const durations = ['request', 'upstream'].map((name) =>
    [...text.matchAll(new RegExp(`^portcullis_${name}_duration_seconds_count\\S* (\\d+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    ),
  )
  return { codes, durations }
}

describe.each(['wire', 'node'])('on the %s data plane, a request that ends with', (dataPlane) => {
  it.each(Object.entries(cases))('%s is counted once', async (_, each) => {
    const { test, raw } = await setUp(dataPlane, each)
    for (let time = 1; time <= 2; time += 1) {
      const client = await rawClient({ port: test.port })
      client.send(each.request)
      await until(() => raw.connections.length > 0)
      await each.client?.(client, () => raw.connections.at(-1))
      await expect.poll(async () => (await counted(test)).durations, { timeout: 4000 }).toEqual([time, time])
      client.destroy()
      const { codes } = await counted(test)
      const [code, ...others] = Object.keys(codes).map(Number)
      expect(others).toEqual([])
      expect(each.codes).toContain(code)
      expect(codes[code!]).toBe(time)
    }
    await delay(150)
    const decisions = auditEvents(test.folder).filter(({ route }) => route === 'r')
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['allow', 'allow'])
    await until(() => raw.connections.filter(({ isClosed, isEnded }) => !isClosed && !isEnded).length <= 1)
    expect(test.lines.filter((line) => line.includes('"level":50'))).toEqual([])
  })
})
