import { describe, expect, it } from 'vitest'
import { judgeResponseHead } from './response-head.ts'
import { passableBeside } from './trailers.ts'

function judge(
  fields: readonly string[],
  facts: { status?: number; version?: '1.0' | '1.1' | undefined; method?: string; reason?: string } = {},
) {
  const { method, ...head } = { status: 200, version: '1.1' as const, method: 'GET', reason: 'OK', ...facts }
  return judgeResponseHead({ ...head, fields, isChecked: false }, method)
}

describe('a response head', () => {
  it.each([
    [[], 'close'],
    [['Content-Length', '2'], 'length'],
    [['transfer-encoding', 'Chunked'], 'chunked'],
  ])('with %j has a body of the kind %s', (fields, body) => {
    expect(judge(fields)).toMatchObject({ body })
  })

  it('to HEAD, and with 204 and 304, has none', () => {
    expect(judge(['Content-Length', '2'], { method: 'HEAD' })).toMatchObject({
      body: 'none',
      fields: ['Content-Length', '2'],
    })
    expect(judge(['Content-Length', '2', 'A', '1'], { status: 204 })).toMatchObject({
      body: 'none',
      fields: ['A', '1'],
    })
    expect(judge(['Content-Length', '2'], { status: 304 })).toMatchObject({ body: 'none' })
  })

  it('knows an event stream by its media type alone', () => {
    for (const [type, isEventStream] of [
      ['text/event-stream', true],
      ['Text/Event-Stream; charset=utf-8', true],
      ['text/event-stream-not', false],
      ['text/plain; x=text/event-stream', false],
    ] as const) {
      expect(judge(['Content-Type', type])).toMatchObject({ isEventStream })
    }
  })

  it('loses a reason phrase with control characters', () => {
    expect(judge([], { reason: 'O\u0001K' })).toMatchObject({ reason: '' })
  })

  it.each<[string, readonly string[], Parameters<typeof judge>[1]?]>([
    ['both framings', ['Content-Length', '2', 'Transfer-Encoding', 'chunked']],
    ['two lengths', ['Content-Length', '2', 'content-length', '2']],
    ['a list of lengths', ['Content-Length', '2, 2']],
    ['a signed length', ['Content-Length', '+2']],
    ['an empty length', ['Content-Length', '']],
    ['a length of 16 digits', ['Content-Length', '1000000000000000']],
    ['another coding', ['Transfer-Encoding', 'gzip, chunked']],
    ['chunked twice', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['identity', ['Transfer-Encoding', 'identity']],
    ['a coding in HTTP/1.0', ['Transfer-Encoding', 'chunked'], { version: '1.0' }],
    ['another version or protocol', [], { version: undefined }],
    ['a status below 200', [], { status: 99 }],
    ['a status above 599', [], { status: 600 }],
    ['a line break in a value', ['A', 'b\nc']],
    ['a control character in a value', ['A', 'b\u007f']],
    ['a malformed name', ['A(b)', 'c']],
    ['both framings on HEAD', ['Content-Length', '2', 'Transfer-Encoding', 'chunked'], { method: 'HEAD' }],
  ])('with %s is refused', (_name, fields, facts) => {
    expect(typeof judge(fields, facts)).toBe('string')
  })
})

describe('trailers', () => {
  it('pass unless a recipient would act on them', () => {
    expect(
      passableBeside([
        'X-Checksum',
        'a',
        'Set-Cookie',
        'b',
        'X-Auth-Subject',
        'c',
        'Access-Control-Allow-Origin',
        '*',
        'grpc-status',
        '0',
        'Transfer-Encoding',
        'chunked',
      ]),
    ).toEqual(['X-Checksum', 'a', 'grpc-status', '0'])
    expect(passableBeside([])).toBeUndefined()
    expect(passableBeside(['Authorization', 'a'])).toBeUndefined()
    expect(passableBeside(['X', 'a\nb'])).toBeUndefined()
  })
})
