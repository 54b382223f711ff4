import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../exchange.ts'
import { echo, startListener, until, onEachDataPlane } from '../../test/listener.ts'

const canary = 'GET /canary HTTP/1.1\r\nHost: x\r\n\r\n'

function upgrade(
  lines = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13',
  start = 'GET /ws HTTP/1.1',
): string {
  return `${start}\r\nHost: x\r\n${lines}\r\n\r\n`
}

/** Accepts every upgrade and sends back what comes. */
function loop(request: ServerRequest): void {
  if (!request.isUpgrade) {
    echo(request)
    return
  }
  const tunnel = request.tunnel(['Sec-WebSocket-Accept', 'yes', 'Connection', 'keep-alive'])
  tunnel.pipe(tunnel)
}

onEachDataPlane(() => {
  describe('a WebSocket upgrade', () => {
    it('becomes a tunnel, with what came early', async () => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      client.send(`${upgrade()}early`)
      const answer = await client.answer()
      expect(answer.status).toBe(101)
      expect(answer.values('connection')).toEqual(['Upgrade'])
      expect(answer.field('upgrade')).toBe('websocket')
      expect(answer.field('sec-websocket-accept')).toBe('yes')
      await client.waitFor('early')
      client.send('later')
      await client.waitFor('later')
      client.send(canary)
      await client.waitFor(canary)
      expect(listener.reached).toHaveLength(1)
    })

    it('is no connection of ours to time', async () => {
      await using listener = await startListener({
        handle: loop,
        limits: { headersTimeout: 300, requestTimeout: 300, idleTimeout: 300 },
      })
      const client = await listener.client()
      await client.send(upgrade()).answer()
      await new Promise((resolve) => setTimeout(resolve, 900))
      client.send('still')
      await client.waitFor('still')
    })

    it('ends for both when one side leaves', async () => {
      let tunnel: Duplex | undefined
      await using listener = await startListener({ handle: (each) => (tunnel = each.tunnel([])) })
      const client = await listener.client()
      await client.send(upgrade()).answer()
      let isClosed = false
      tunnel!.on('close', () => (isClosed = true)).resume()
      client.reset()
      await until(() => isClosed && listener.running.connections === 0)
    })

    it('waits for the answers before it', async () => {
      let first: ServerRequest | undefined
      await using listener = await startListener({
        handle(each) {
          if (each.isUpgrade) loop(each)
          else first = each
        },
      })
      const client = await listener.client()
      client.send(canary + upgrade())
      await until(() => first !== undefined)
      expect(listener.reached).toHaveLength(1)
      first!.answer({ status: 200, fields: [], body: 'first' })
      expect((await client.answer()).text()).toBe('first')
      expect((await client.answer()).status).toBe(101)
    })

    it('that is declined is answered, and closes: a request in the same packet would be cut', async () => {
      await using listener = await startListener({
        handle: (each) => each.answer({ status: 403, fields: [], body: 'no' }),
      })
      const client = await listener.client()
      client.send(upgrade() + canary)
      const answer = await client.answer()
      expect(answer.status).toBe(403)
      expect(answer.field('connection')).toBe('close')
      expect(answer.text()).toBe('no')
      expect((await client.ended()).length).toBe(0)
      expect(client.error).toBeUndefined()
      expect(listener.reached).toHaveLength(1)
    })

    it('that the upstream answers otherwise is a proxied answer', async () => {
      await using listener = await startListener({
        handle(each) {
          each.inform(103, ['Link', '</a>'])
          const writer = each.begin({ status: 426, reason: 'Upgrade Required', fields: ['X-A', 'b'] })
          writer.write(Buffer.from('other'))
          writer.end()
        },
      })
      const client = await listener.client()
      client.send(upgrade())
      expect((await client.answer()).status).toBe(103)
      const answer = await client.answer()
      expect(answer.status).toBe(426)
      expect(answer.field('x-a')).toBe('b')
      expect(answer.text()).toBe('other')
      expect((await client.ended()).length).toBe(0)
    })

    it('whose client leaves before the answer is aborted', async () => {
      let aborts = 0
      await using listener = await startListener({ handle: (each) => void each.onAbort(() => (aborts += 1)) })
      const client = await listener.client()
      client.send(upgrade())
      await until(() => listener.reached.length === 1)
      client.reset()
      await until(() => aborts === 1)
    })
  })

  describe('every other upgrade', () => {
    const others: Record<string, string> = {
      'to h2c': upgrade(
        'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
      ),
      'to websocket of another version': upgrade(
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8',
      ),
      'to websocket without a version': upgrade('Upgrade: websocket\r\nConnection: Upgrade'),
      'to websocket with two versions': upgrade(
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13',
      ),
      'to a list': upgrade('Upgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13'),
      'to two things': upgrade(
        'Upgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13',
      ),
      'by POST': upgrade(undefined, 'POST /ws HTTP/1.1'),
      'by HEAD': upgrade(undefined, 'HEAD /ws HTTP/1.1'),
    }

    it.each(Object.entries(others))('%s is a plain request, and closes', async (_, bytes) => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      client.send(bytes + canary)
      const answer = await client.answer(bytes.startsWith('HEAD') ? 'HEAD' : 'GET')
      expect(answer.status).toBe(200)
      expect(answer.field('connection')).toBe('close')
      expect((await client.ended()).length).toBe(0)
      expect(listener.reached).toMatchObject([{ target: '/ws', isUpgrade: false }])
    })

    it('in HTTP/1.0 is a plain request', async () => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      client.send(upgrade(undefined, 'GET /ws HTTP/1.0'))
      expect((await client.answer()).status).toBe(200)
    })

    it('that Connection does not name is a plain request, and the connection goes on', async () => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      client.send(upgrade('Upgrade: websocket\r\nSec-WebSocket-Version: 13') + canary)
      expect((await client.answer()).json()).toMatchObject({ target: '/ws' })
      expect((await client.answer()).json()).toMatchObject({ target: '/canary' })
    })

    it.each([
      ['Content-Length: 5', 'hello'],
      ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
    ])('with a body (%s) is a plain request, and closes', async (framing, body) => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      const lines = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13'
      client.send(upgrade(`${lines}\r\n${framing}`) + body + canary)
      const answer = await client.answer()
      expect(answer.json()).toMatchObject({ target: '/ws', body: 'hello' })
      expect(answer.field('connection')).toBe('close')
      expect((await client.ended()).length).toBe(0)
      expect(listener.reached).toHaveLength(1)
    })

    it('with a malformed head is refused', async () => {
      await using listener = await startListener({ handle: loop })
      const client = await listener.client()
      client.send(
        upgrade('Host: y\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13'),
      )
      expect((await client.answer()).status).toBe(400)
      expect((await client.ended()).length).toBe(0)
    })

    it('whose rest comes in a later packet is not read as a request', async () => {
      let held: ServerRequest | undefined
      await using listener = await startListener({ handle: (each) => (held = each) })
      const client = await listener.client()
      client.send(upgrade('Upgrade: h2c\r\nConnection: Upgrade'))
      await until(() => held !== undefined)
      client.send(canary)
      await new Promise((resolve) => setTimeout(resolve, 30))
      held!.answer({ status: 200, fields: [], body: '' })
      expect((await client.answer()).field('connection')).toBe('close')
      expect((await client.ended()).length).toBe(0)
      expect(listener.reached).toHaveLength(1)
    })
  })
})
