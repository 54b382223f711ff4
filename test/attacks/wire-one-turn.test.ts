/**
 * Everything at once, in one turn of the loop: answers of all shapes for requests of one packet leave whole and in order, what goes
 * wrong with one of them takes nothing from those before it, and a listener that closes ends whatever its connections are doing.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ServerRequest } from '../../src/exchange.ts'
import { onEachDataPlane, readBody, startListener, until } from '../listener.ts'

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const large = 'x'.repeat(300_000)

/** Answers as the path says, at once where that is possible. */
function handle(request: ServerRequest): void {
  const own = (body: string): void =>
    request.answer({ status: 200, fields: ['X-Path', request.target], body })
  const begin = (...fields: string[]) =>
    request.begin({ status: 200, reason: '', fields: ['X-Path', request.target, ...fields] })
  const [, kind] = request.target.split('/')
  if (kind === 'own') own('plain')
  else if (kind === 'text') own('grüße, 世界')
  else if (kind === 'empty') request.answer({ status: 204, fields: ['X-Path', request.target], body: '' })
  else if (kind === 'large') own(large)
  else if (kind === 'hints') {
    request.inform(103, ['Link', '</style.css>'])
    own('hinted')
  } else if (kind === 'chunks') {
    const writer = begin()
    for (const piece of ['a', large, 'b', Buffer.from(large), Buffer.from('c')]) writer.write(piece)
    writer.end()
  } else if (kind === 'length') {
    const writer = begin('Content-Length', String(large.length))
    writer.write(Buffer.from(large))
    writer.end()
  } else if (kind === 'body')
    void readBody(request).then(
      (body) => own(body),
      () => undefined,
    )
  else if (kind === 'throws') throw new Error('a bug')
  else if (kind === 'throws-late') {
    begin().write('begun')
    throw new Error('a bug')
  } else if (kind === 'aborts') {
    const writer = begin()
    writer.write('begun')
    writer.flush()
    writer.abort()
  } else if (kind === 'stream') begin().flush()
}

const bodies: Readonly<Record<string, string>> = {
  own: 'plain',
  text: Buffer.from('grüße, 世界').toString('latin1'),
  empty: '',
  large,
  hints: 'hinted',
  chunks: `a${large}b${large}c`,
  length: large,
}

onEachDataPlane(() => {
  describe('requests in one packet', () => {
    it('of all shapes are answered in order, each whole', async () => {
      await using listener = await startListener({ handle })
      const client = await listener.client()
      const kinds = Object.keys(bodies)
      const order = [...kinds, ...kinds.toReversed(), 'own', 'text', 'own', 'empty', 'large', 'hints']
      client.send(order.map((kind, index) => get(`/${kind}/${index}`)).join(''))
      for (const [index, kind] of order.entries()) {
        if (kind === 'hints') expect((await client.answer()).status).toBe(103)
        const answer = await client.answer()
        expect(answer.field('x-path')).toBe(`/${kind}/${index}`)
        expect(answer.body.toString('latin1') === bodies[kind], kind).toBe(true)
      }
      expect(client.rest.length).toBe(0)
      expect(listener.faults).toEqual([])
    })

    it('get a 100 only when it is their turn', async () => {
      await using listener = await startListener({ handle })
      const client = await listener.client()
      const expecting = 'POST /body HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n'
      client.send(get('/own') + get('/text') + expecting)
      expect((await client.answer()).text()).toBe('plain')
      expect((await client.answer()).text()).toBe('grüße, 世界')
      expect((await client.answer()).status).toBe(100)
      client.send(`body${get('/own')}`)
      expect((await client.answer()).text()).toBe('body')
      expect((await client.answer()).text()).toBe('plain')
    })

    it.each(['throws-late', 'aborts'])('of which one %s: those before it are answered', async (kind) => {
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(get('/own') + get('/text') + get(`/${kind}`) + get('/own'))
      expect((await client.answer()).text()).toBe('plain')
      expect((await client.answer()).text()).toBe('grüße, 世界')
      expect((await client.ended()).toString('latin1')).not.toContain('plain')
      await until(() => listener.running.connections === 0)
    })

    it('of which one throws before it is answered: it is 500, and those behind it are answered', async () => {
      await using listener = await startListener({ handle })
      const client = await listener.client()
      client.send(get('/own') + get('/throws') + get('/text'))
      expect((await client.answer()).text()).toBe('plain')
      expect((await client.answer()).status).toBe(500)
      expect((await client.answer()).text()).toBe('grüße, 世界')
      expect(listener.faults).toHaveLength(1)
    })
  })

  describe('a bug in the judgement of a head', () => {
    it('costs its connection, and neither the answers before it nor the process', async () => {
      const names = new Set<string>()
      names.has = (name) => {
        if (name === 'bug') throw new Error('a bug')
        return false
      }
      await using listener = await startListener({ handle, identityNames: names })
      const client = await listener.client()
      client.send(get('/own') + get('/own', 'Connection: bug\r\n'))
      expect((await client.answer()).text()).toBe('plain')
      expect((await client.ended()).toString()).not.toContain('plain')
      expect(listener.faults).toHaveLength(1)
      await until(() => listener.running.connections === 0)
      const other = await listener.client()
      other.send(get('/own'))
      expect((await other.answer()).status).toBe(200)
    })
  })

  describe('a listener that closes', () => {
    const states: Readonly<Record<string, string>> = {
      'has said nothing': '',
      'is within a head': 'GET / HT',
      'is idle': get('/own'),
      'has had its last answer': get('/own', 'Connection: close\r\n'),
      'was refused': 'GET / HTTP/1.1\r\n\r\nmore',
      'does not read its answer': get('/large').repeat(40),
      'waits for an answer': get('/never'),
      'waits for two answers': get('/never') + get('/own'),
      'has a stream': get('/stream'),
      'is within a body': 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhalf',
      'is within a body that nobody reads': `POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${large}`,
      'waits for a 100':
        'POST /never HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
    }

    it('ends in time, whatever its clients are at', async () => {
      await using listener = await startListener({ handle })
      for (const bytes of Object.values(states))
        for (const isHalfClosed of [false, true]) {
          const client = await listener.client()
          client.socket.pause()
          client.send(bytes)
          if (isHalfClosed) client.end()
        }
      await delay(200)
      const since = performance.now()
      await listener.running.closed(1500)
      expect(performance.now() - since).toBeLessThan(4000)
      expect(listener.running.connections).toBe(0)
      expect(listener.faults).toEqual([])
    })
  })
})

describe('on the wire data plane: thousands of requests in one packet', () => {
  it('do not keep those of others waiting', async () => {
    const order: string[] = []
    await using listener = await startListener({
      dataPlane: 'wire',
      handle(request) {
        order.push(request.target)
        handle(request)
      },
    })
    const [many, one] = [await listener.client(), await listener.client()]
    many.send(get('/own/many').repeat(1500))
    one.send(get('/own/one'))
    for (let count = 0; count < 1500; count += 1) expect((await many.answer()).status).toBe(200)
    expect((await one.answer()).status).toBe(200)
    expect(order).toHaveLength(1501)
    expect(order.indexOf('/own/one')).toBeLessThan(200)
  })
})
