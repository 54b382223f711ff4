/**
 * The same bytes for our parsers and for others: llhttp, node:http, and the strict reader of the tests. Ours may refuse what another
 * takes; what ours takes, every other must take, with the same meaning and the same end, however the bytes are cut.
 * This is a short run from a fixed seed; `npm run fuzz` is the long one.
 */
import { describe, expect, it } from 'vitest'
import { runCampaign } from '../fuzz/campaign.ts'
import { compare, isSame, minimise } from '../fuzz/compare.ts'
import { corpusInputs } from '../fuzz/corpus-inputs.ts'
import { generate, mutate } from '../fuzz/generate.ts'
import { readWithLlhttp } from '../fuzz/llhttp.ts'
import { NodeHttp } from '../fuzz/node-http.ts'
import { readWithOurs } from '../fuzz/ours.ts'
import { Random } from '../fuzz/random.ts'
import type { Input, Reading } from '../fuzz/reading.ts'

const corpus = corpusInputs()
const request = (bytes: string): Input => ({ side: 'request', bytes, method: 'GET', isEnded: false })

describe('the corpus of raw bytes', () => {
  it('is read the same wherever it is cut', () => {
    const torn = corpus
      .filter(({ bytes }) => bytes.length < 1500)
      .filter((input) => {
        const whole = readWithOurs(input)
        const cuts = Array.from({ length: Math.max(input.bytes.length - 1, 0) }, (_, at) => at + 1)
        return (
          !isSame(whole, readWithOurs(input, cuts)) ||
          cuts.some((cut) => !isSame(whole, readWithOurs(input, [cut])))
        )
      })
    expect(torn).toEqual([])
  }, 60_000)
})

describe('inputs from a fixed seed', () => {
  it('are never taken by ours and refused, or read differently, by another', async () => {
    const outcome = await runCampaign({ seed: 20_261_129, cases: 60_000, milliseconds: 12_000, corpus })
    expect(outcome.findings).toEqual([])
    // A run that takes nothing, or refuses nothing, would prove nothing.
    expect(outcome.cases).toBeGreaterThan(5000)
    expect(outcome.accepted / outcome.cases).toBeGreaterThan(0.2)
    expect(outcome.stricter.size).toBeGreaterThan(20)
    expect(outcome.splits).toBeGreaterThan(outcome.cases)
  }, 60_000)

  it('are the same inputs each time', () => {
    const make = (): string[] => {
      const random = new Random(7)
      return Array.from({ length: 50 }, () => mutate(random, generate(random), generate(random)).bytes)
    }
    expect(make()).toEqual(make())
  })
})

describe('the comparison', () => {
  const read = readWithLlhttp(request('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'))
  const refused: Reading = { messages: [], open: undefined, state: 'refused', why: 'x' }
  const changed = (change: object): Reading => ({
    ...read,
    messages: read.messages.map((message) => ({ ...message, ...change })),
  })

  it('calls what we take and another refuses looser', () => {
    expect(compare(read, refused)).toEqual({ kind: 'looser', what: 'it refuses: x' })
  })

  it('calls what we refuse and another takes stricter', () => {
    expect(compare(refused, read)).toEqual({ kind: 'stricter', what: 'x' })
  })

  it.each([
    ['another end', { end: 1 }],
    ['another body', { body: 'hellO' }],
    ['other fields', { fields: ['Host', 'y'] }],
    ['another target', { target: '/y' }],
    ['another method', { method: 'PUT' }],
    ['another version', { version: '1.0' }],
  ])('sees %s', (what, change) => {
    expect(compare(read, read).kind).toBe('same')
    expect(compare(changed(change), read)).toEqual({ kind: 'looser', what })
  })

  it('sees a body that another does not see', () => {
    const ours: Reading = {
      ...refused,
      state: 'partial',
      open: { ...read.messages[0]!, body: 'he', end: -1 },
    }
    const theirs: Reading = { ...ours, open: { ...ours.open!, body: 'h' } }
    expect(compare(ours, theirs).kind).toBe('looser')
    expect(compare(theirs, ours).kind).toBe('same')
  })

  it('makes an input as small as it stays interesting', () => {
    const input = request(`GET /${'a'.repeat(100)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(minimise(input, ({ bytes }) => bytes.includes('Host')).bytes).toBe('Host')
  })
})

describe('the readers beside ours', () => {
  const bytes =
    'POST /a HTTP/1.1\r\nHost: x\r\nA:  b \r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: u\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n'

  it('read the same of a plain request as ours', async () => {
    const ours = readWithOurs(request(bytes))
    expect(ours.messages.map(({ target, body, end }) => [target, body, end])).toEqual([
      ['/a', 'hello', 88],
      ['/b', '', bytes.length],
    ])
    expect(readWithLlhttp(request(bytes))).toEqual(ours)
    const { messages } = await new NodeHttp().read(bytes)
    expect(messages.map(({ target, body }) => [target, body])).toEqual([
      ['/a', 'hello'],
      ['/b', ''],
    ])
  })

  it('refuse what is malformed', async () => {
    const bad = bytes.replace('A:  b ', 'A : b')
    expect(readWithLlhttp(request(bad)).state).toBe('refused')
    expect((await new NodeHttp().read(bad)).state).toBe('refused')
  })
})
