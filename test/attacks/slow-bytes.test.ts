/** Hundreds of clients and services that move one byte at a time: each gets its own answer, and nobody who is quick waits for them. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { host } from '../corpus/request-case.ts'
import { startHostileUpstream, type HostileUpstream } from '../harness/hostile-upstream.ts'
import { subjectOf, type Told } from '../harness/recording-upstream.ts'
import { StrictClient } from '../harness/strict-client.ts'
import { lanes, planes, startCorpusGateway, type CorpusGateway } from '../support/corpus-gateway.ts'

const many = 300
/** Milliseconds between two bytes. */
const pause = 8

const keyOf = (index: number): string => lanes[index % lanes.length]!.key
const subjectFor = (index: number): string => lanes[index % lanes.length]!.subject
const requestOf = (index: number, target: string, body = ''): string =>
  `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${keyOf(index)}\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`

async function drip(client: StrictClient, bytes: string): Promise<void> {
  for (const byte of bytes) {
    if (client.isOver) return
    client.send(byte)
    await delay(pause)
  }
}

/** Asks until the slow ones are done. @returns milliseconds of each answer, ascending */
async function meanwhile(port: number, slow: Promise<unknown>): Promise<number[]> {
  const ended = slow.then(
    () => true,
    () => true,
  )
  const times: number[] = []
  const client = new StrictClient({ port })
  for (;;) {
    const began = performance.now()
    const target = `/quick/${times.length}`
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${lanes[0]!.victimKey}\r\n\r\n`)
    const answer = await client.answer()
    expect((JSON.parse(answer!.body) as Told).target).toBe(target)
    times.push(performance.now() - began)
    if (await Promise.race([ended, delay(20, false)])) break
  }
  client.destroy()
  return times.sort((one, other) => one - other)
}

describe.each(planes)('dataPlane: %s', (plane) => {
  describe('clients', () => {
    let corpus: CorpusGateway
    beforeAll(async () => {
      corpus = await startCorpusGateway(plane, { limits: 'headersTimeout: 10s, requestTimeout: 20s' })
    })
    afterAll(() => corpus.stop())

    it('that send byte by byte are each served as who they are, and hold nobody up', async () => {
      const slow = Promise.all(
        Array.from({ length: many }, async (_, index) => {
          const client = new StrictClient({ port: corpus.gateway.port, patience: 30_000 })
          await drip(client, requestOf(index, `/slow/${index}`, '3\r\nabc\r\n'))
          const answer = await client.answer()
          client.destroy()
          return JSON.parse(answer?.body ?? 'null') as Told | null
        }),
      )
      const times = await meanwhile(corpus.gateway.port, slow)
      expect(await slow).toEqual(
        Array.from({ length: many }, (_, index) => ({
          method: 'POST',
          target: `/slow/${index}`,
          subject: subjectFor(index),
          length: 3,
        })),
      )
      expect(times[Math.floor(times.length / 2)]).toBeLessThan(250)
      const { messages, faults } = corpus.recorder
      expect(faults).toEqual([])
      expect(messages.filter(({ target }) => target.startsWith('/slow/'))).toHaveLength(many)
      expect(messages.every((message) => subjectOf(message) !== undefined)).toBe(true)
    }, 60_000)
  })

  describe('clients that never come to an end', () => {
    let corpus: CorpusGateway
    beforeAll(async () => {
      corpus = await startCorpusGateway(plane, { limits: 'headersTimeout: 1s, requestTimeout: 1s' })
    })
    afterAll(() => corpus.stop())

    it('are 408 when their time is over, in the head or in the body', async () => {
      const head = requestOf(0, '/never').slice(0, 40)
      const body = requestOf(0, '/never').slice(0, -5)
      const statuses = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const client = new StrictClient({ port: corpus.gateway.port, patience: 15_000 })
          const began = performance.now()
          const bytes = index % 2 === 0 ? `${head}${'x'.repeat(2000)}` : `${body}fff\r\n${'x'.repeat(2000)}`
          const dripping = drip(client, bytes)
          const answer = await client.answer()
          await client.over()
          const took = performance.now() - began
          client.destroy()
          await dripping
          expect(took).toBeGreaterThan(900)
          expect(took).toBeLessThan(9000)
          return answer?.status
        }),
      )
      expect(new Set(statuses)).toEqual(new Set([408]))
      expect(corpus.recorder.messages).toEqual([])
      expect(corpus.recorder.faults).toEqual([])
    }, 60_000)
  })

  describe('services', () => {
    let upstream: HostileUpstream
    let corpus: CorpusGateway
    beforeAll(async () => {
      upstream = await startHostileUpstream(pause)
      corpus = await startCorpusGateway(plane, { upstreamPort: upstream.port })
    })
    afterAll(async () => {
      await corpus.stop()
      await upstream.close()
    })

    it('that answer byte by byte are waited for, and hold nobody up', async () => {
      const answers = Array.from({ length: many }, (_, index) => `answer ${String(index).padStart(4, '0')}`)
      for (const [index, body] of answers.entries()) {
        const framed =
          index % 2 === 0
            ? `Content-Length: ${body.length}\r\n\r\n${body}`
            : `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        const parts = Array.from(`HTTP/1.1 200 OK\r\n${framed}`, (byte) => [byte])
        upstream.behaviours.set(`/slow/${index}`, { parts, then: 'stays', isEarly: false })
      }
      const slow = Promise.all(
        answers.map(async (_, index) => {
          const client = new StrictClient({ port: corpus.gateway.port, patience: 30_000 })
          const answer = await client.send(requestOf(index, `/slow/${index}`)).answer()
          client.destroy()
          return answer?.body
        }),
      )
      const times = await meanwhile(corpus.gateway.port, slow)
      expect(await slow).toEqual(answers)
      expect(times[Math.floor(times.length / 2)]).toBeLessThan(250)
      expect(upstream.faults).toEqual([])
    }, 60_000)

    it('are passed on as they come, not when they are done', async () => {
      const parts = [
        ['HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n'],
        ...Array.from('x'.repeat(200), (byte) => [byte]),
      ]
      upstream.behaviours.set('/flowing', { parts, then: 'stays', isEarly: false })
      const client = new StrictClient({ port: corpus.gateway.port })
      client.send(requestOf(0, '/flowing'))
      while (client.rest.split('\r\n\r\n')[1] === undefined || !client.rest.endsWith('x')) await delay(2)
      expect(client.rest.split('\r\n\r\n')[1]!.length).toBeLessThan(150)
      expect((await client.answer())!.body).toBe('x'.repeat(200))
      client.destroy()
    })
  })
})
