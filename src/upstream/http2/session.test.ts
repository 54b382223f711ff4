import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../../test/listener.ts'
import { flags, frame, frameTypes, type FrameClient } from '../../../test/support/http2-frames.ts'
import { http2Upstream, type Http2Upstream } from '../../../test/support/http2-upstream.ts'
import { addressOf } from '../connect.ts'
import type { Connection, Receiver, RequestFacts } from '../connection.ts'
import { createResolver } from '../resolve.ts'
import { usualTimes, type SessionTimes } from './session.ts'
import { Sessions } from './sessions.ts'

function sessionsTo({ url }: Http2Upstream, times: Partial<SessionTimes>): Sessions {
  const sessions = new Sessions(
    addressOf(url),
    {
      resolver: createResolver({ now: () => Date.now() }, () => undefined),
      timeout: 1000,
      secureContext: () => undefined,
      serverName: undefined,
      protocols: ['h2'],
    },
    { ...usualTimes, ...times },
  )
  onTestFinished(() => sessions.destroy())
  return sessions
}

const facts: RequestFacts = {
  method: 'GET',
  target: '/',
  host: 'a',
  fields: [],
  body: 'none',
  isUpgrade: false,
}

function ask(connection: Connection): Promise<string> {
  return new Promise((resolve) => {
    const ignore = (): void => undefined
    const receiver: Receiver = {
      sent: ignore,
      interim: ignore,
      head: ignore,
      data: ignore,
      flush: ignore,
      end: () => resolve('whole'),
      upgraded: ignore,
      failed: ({ kind, detail }) => resolve(`${kind}: ${detail}`),
    }
    connection.send(facts, receiver)
  })
}

const isPing = ({ type, flags: bits }: { type: number; flags: number }): boolean =>
  type === frameTypes.ping && bits === 0

async function answerPings(connection: FrameClient): Promise<void> {
  for (let seen = 0; !connection.isClosed; await delay(5)) {
    const pings = connection.frames.filter(isPing)
    for (; seen < pings.length; seen += 1)
      connection.send(frame(frameTypes.ping, flags.ack, 0, pings[seen]!.payload))
  }
}

describe('a connection to a target', () => {
  it('is asked for a sign of life when it owes answers, and cut without one', async () => {
    const upstream = await http2Upstream(() => undefined)
    const sessions = sessionsTo(upstream, { silence: 100, patience: 200 })
    const result = ask(await sessions.connect())
    await upstream.connections[0]!.waitFor(isPing, 'PING')
    expect(await result).toBe('lost: no sign of life from the target')
    await until(() => sessions.open === 0)
  })

  it('lives as long as it gives one', async () => {
    const upstream = await http2Upstream((connection) => void answerPings(connection))
    const sessions = sessionsTo(upstream, { silence: 50, patience: 150 })
    const result = ask(await sessions.connect())
    await delay(600)
    const [connection] = upstream.connections
    expect(connection!.frames.filter(isPing).length).toBeGreaterThan(2)
    connection!.head(1, 200, [], true)
    expect(await result).toBe('whole')
  })

  it('that was silent for a while is doubted beside the next request', async () => {
    const upstream = await http2Upstream(async (connection) => {
      connection.head(await connection.request(), 200, [], true)
      await connection.request()
    })
    const sessions = sessionsTo(upstream, { doubt: 50, patience: 100 })
    expect(await ask(await sessions.connect())).toBe('whole')
    await delay(100)
    expect(await ask(sessions.take()!)).toBe('lost: no sign of life from the target')
  })

  it('ends after a while without requests', async () => {
    const upstream = await http2Upstream(async (connection) => {
      connection.head(await connection.request(), 200, [], true)
    })
    const sessions = sessionsTo(upstream, { idle: 100, patience: 100 })
    expect(await ask(await sessions.connect())).toBe('whole')
    await until(() => sessions.idle === 1)
    await until(() => sessions.open === 0)
    await upstream.connections[0]!.ended()
  })

  it('is shared by those who ask while it is made', async () => {
    const upstream = await http2Upstream((connection) => void answerPings(connection))
    const sessions = sessionsTo(upstream, {})
    const places = await Promise.all(Array.from({ length: 50 }, () => sessions.connect()))
    expect(upstream.connections).toHaveLength(1)
    for (const place of places) place.destroy()
    expect(sessions.idle).toBe(1)
  })

  it('is another where the target takes fewer requests than wait, and none where it takes none', async () => {
    const few = await http2Upstream(() => undefined, { settings: [[3, 10]] })
    const sessions = sessionsTo(few, {})
    await Promise.all(Array.from({ length: 25 }, () => sessions.connect()))
    expect(few.connections).toHaveLength(3)
    const none = await http2Upstream(() => undefined, { settings: [[3, 0]] })
    await expect(sessionsTo(none, {}).connect()).rejects.toThrow('takes no requests')
  })

  it('is not used for more requests once its address or its files are out of date', async () => {
    const upstream = await http2Upstream(async (connection) => {
      for (;;) connection.head(await connection.request(), 200, [], true)
    })
    const sessions = sessionsTo(upstream, {})
    const busy = await sessions.connect()
    sessions.retire(() => true)
    expect(sessions.take()).toBeUndefined()
    expect(await ask(busy)).toBe('unsent: the connection was closed before the request was sent')
    await upstream.connections[0]!.ended()
    expect(await ask(await sessions.connect())).toBe('whole')
    expect(upstream.connections).toHaveLength(2)
  })
})
