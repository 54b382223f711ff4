import { duplexPair, type Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { joinTunnel, type Tunnel } from './tunnel.ts'

interface Setup {
  /** What the gateway holds of each side, and what is at the far end of it. */
  readonly client: Duplex
  readonly browser: Duplex
  readonly upstream: Duplex
  readonly service: Duplex
  readonly tunnel: Tunnel
  readonly closed: [number, string | undefined][]
}

function setUp(): Setup {
  const [client, browser] = duplexPair()
  const [upstream, service] = duplexPair()
  const closed: [number, string | undefined][] = []
  const tunnel = joinTunnel(client, upstream, (bytes, brokenBy) => closed.push([bytes, brokenBy]))
  return { client, browser, upstream, service, tunnel, closed }
}

const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))

describe('a tunnel', () => {
  it('takes the other side with one that vanished without a word', async () => {
    const { client, upstream, closed } = setUp()
    client.destroy()
    await expect.poll(() => closed).toEqual([[0, 'client']])
    expect(upstream.destroyed).toBe(true)
    const other = setUp()
    other.upstream.destroy()
    await expect.poll(() => other.closed).toEqual([[0, 'upstream']])
    expect(other.client.destroyed).toBe(true)
  })

  it('is over at once where a side was gone already', async () => {
    const [client] = duplexPair()
    const [upstream] = duplexPair()
    client.destroy()
    await settled()
    const closed: (string | undefined)[] = []
    joinTunnel(client, upstream, (_bytes, brokenBy) => closed.push(brokenBy))
    await expect.poll(() => closed).toEqual(['client'])
    expect(upstream.destroyed).toBe(true)
  })

  it('ends in order when both sides end', async () => {
    const { browser, service, closed } = setUp()
    service.end('bye')
    browser.resume()
    service.resume()
    browser.end()
    await expect.poll(() => closed).toEqual([[3, undefined]])
  })

  it('closes both sides when it is cut', async () => {
    const { client, upstream, tunnel, closed } = setUp()
    tunnel.cut()
    await expect.poll(() => closed).toHaveLength(1)
    expect([client.destroyed, upstream.destroyed]).toEqual([true, true])
  })
})

describe('a tunnel of which one side has ended', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is cut after ten seconds of silence of the other', async () => {
    const { browser, service, client, upstream } = setUp()
    const received: string[] = []
    browser.on('data', (chunk: Buffer) => received.push(chunk.toString()))
    service.resume()
    browser.end()
    await settled()
    for (let count = 0; count < 5; count += 1) {
      vi.advanceTimersByTime(9_000)
      service.write('still here ')
      await settled()
    }
    expect(received.join('')).toBe('still here '.repeat(5))
    expect(client.destroyed).toBe(false)
    vi.advanceTimersByTime(10_000)
    await settled()
    expect([client.destroyed, upstream.destroyed]).toEqual([true, true])
  })

  it('before it was laid is cut after them, too', async () => {
    const [client, browser] = duplexPair()
    const [upstream, service] = duplexPair()
    client.resume()
    browser.end()
    await settled()
    await settled()
    expect(client.readableEnded).toBe(true)
    joinTunnel(client, upstream, () => undefined)
    service.resume()
    await settled()
    vi.advanceTimersByTime(10_000)
    await settled()
    expect([client.destroyed, upstream.destroyed]).toEqual([true, true])
  })
})
