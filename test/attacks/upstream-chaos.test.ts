/**
 * An upstream that misbehaves at random, under many clients at once: whatever a client takes for a whole answer is the
 * answer to its own request, and nothing is left behind afterwards.
 */
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { onEachDataPlane } from '../listener.ts'
import { createStreamWatch } from '../../src/upstream/stream-watch.ts'
import { RawClient } from '../support/raw-client.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUpRaw, setUpTargets } from '../support/upstream-setup.ts'

/** Numbers from a seed, so that a failure can be repeated. */
function numbersFrom(seed: string): (below: number) => number {
  let state = createHash('sha256').update(seed).digest()
  return (below) => {
    state = createHash('sha256').update(state).digest()
    return state.readUInt32BE(0) % below
  }
}

/** Answers with the request's own path and body, or in one of many ways wrong. */
function chaotic(random: (below: number) => number) {
  return async (connection: RawConnection): Promise<void> => {
    for (;;) {
      const head = await connection.head()
      const path = /^\S+ (\S+)/.exec(head)?.[1] ?? ''
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      const choice = random(24)
      if (choice === 0) {
        connection.send(`HTTP/1.1 413 Early\r\nContent-Length: 0\r\n\r\n`)
        continue
      }
      if (length > 0) {
        const from = connection.received.indexOf(head) + head.length
        await connection.until((received) => received.length >= from + length)
        connection.skip(length)
      }
      if (choice === 1) connection.socket.resetAndDestroy()
      else if (choice === 2) connection.socket.end()
      else if (choice === 3) connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n${path}`)
      else if (choice === 4)
        connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`)
      else if (choice === 5) connection.send(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n`)
      else if (choice === 6) connection.send('rubbish\r\n\r\n')
      else if (choice === 7) connection.send(`HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n`)
      if (choice === 3) connection.socket.resetAndDestroy()
      if (choice >= 5 && choice !== 6 && choice !== 7) {
        const answer =
          random(2) === 0
            ? `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`
            : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${path.length.toString(16)}\r\n${path}\r\n0\r\n\r\n`
        // In one packet: a surplus that comes after the next request was sent is that request's answer to any client there is.
        const surplus = choice === 8 ? 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled' : ''
        connection.send(answer + surplus)
      }
      if (choice === 9) connection.socket.end()
    }
  }
}

/** @returns the body of the first whole answer that is final; undefined if there is none */
function wholeBody(received: string): { readonly status: string; readonly body: string } | undefined {
  const start = received.search(/HTTP\/1\.1 [2-5]/)
  const end = received.indexOf('\r\n\r\n', start)
  if (start === -1 || end === -1) {
    return undefined
  }
  const head = received.slice(start, end)
  const rest = received.slice(end + 4)
  const status = head.slice(9, 12)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    return rest.length === Number(length) ? { status, body: rest } : undefined
  }
  const chunks = /^(?:[0-9a-f]+\r\n([^\r]*)\r\n)?0\r\n\r\n$/i.exec(rest)
  return chunks === null ? undefined : { status, body: chunks[1] ?? '' }
}

onEachDataPlane(() => {
  describe('an upstream that misbehaves at random', () => {
    it('never makes a client take another answer for its own, and leaves nothing behind', async () => {
      const seed = randomBytes(8).toString('hex')
      const random = numbersFrom(seed)
      const upstreams = [await setUpRaw(chaotic(random)), await setUpRaw(chaotic(random))]
      const watch = createStreamWatch({ now: () => Date.now() })
      const { server, upstream } = await setUpTargets(
        upstreams.map(({ url }) => url),
        {
          settings: { balance: 'least-requests', timeouts: { connect: 500, response: 500 } },
          hooks: { idleTimeout: 500 },
          deps: { watch },
        },
      )
      const tally = new Map<string, number>()
      const one = async (path: string): Promise<void> => {
        const client = new RawClient(server.port)
        const body = 'x'.repeat(random(3) === 0 ? random(200_000) : 0)
        const method = body === '' ? 'GET' : 'POST'
        const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`
        client.send(`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}\r\n${body}`)
        if (random(20) === 0) {
          setTimeout(() => client.close(), random(30))
        }
        const whole = wholeBody(await client.all())
        client.close()
        const kind = whole?.status ?? 'cut'
        tally.set(kind, (tally.get(kind) ?? 0) + 1)
        if (whole?.status === '200') {
          expect(whole.body, `seed ${seed}`).toBe(path)
        }
      }
      await Promise.all(
        Array.from({ length: 24 }, async (_, lane) => {
          for (let count = 0; count < 40; count += 1) {
            await one(`/lane-${lane}/request-${count}`)
          }
        }),
      )
      expect(tally.get('200') ?? 0, JSON.stringify([...tally])).toBeGreaterThan(300)
      await expect.poll(() => upstream.state().inFlight).toBe(0)
      expect(watch.size).toBe(0)
      for (const { connections } of upstream.state().targets) {
        await expect.poll(() => connections.open - connections.idle).toBe(0)
      }
    }, 60_000)
  })
})
