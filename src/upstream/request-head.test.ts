import { describe, expect, it } from 'vitest'
import { framingOf, HeadError, writeRequestHead, type HeadFacts } from './request-head.ts'

const facts: HeadFacts = {
  method: 'GET',
  target: '/a?b=c',
  host: 'catalog.internal:7001',
  fields: ['X-A', '1'],
  body: 'none',
  isUpgrade: false,
}

describe('a request head', () => {
  it('is the request line, Host, the planned fields and the framing', () => {
    expect(writeRequestHead({ ...facts, method: 'PUT', body: 'chunked' })).toBe(
      'PUT /a?b=c HTTP/1.1\r\nHost: catalog.internal:7001\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    expect(writeRequestHead({ ...facts, body: 0 })).toMatch(/\r\nContent-Length: 0\r\n\r\n$/)
  })

  it.each<[string, Partial<HeadFacts>]>([
    ['a line break in a value', { fields: ['X-A', '1\r\nX-B: 2'] }],
    ['a bare line feed in a value', { fields: ['X-A', '1\nX-B: 2'] }],
    ['a NUL in a value', { fields: ['X-A', '1\0'] }],
    ['a value outside Latin-1', { fields: ['X-A', '\u010d\u010a'] }],
    ['a line break in a name', { fields: ['X-A\r\nX-B', '1'] }],
    ['a colon in a name', { fields: ['X-A:', '1'] }],
    ['an empty name', { fields: ['', '1'] }],
    ['a space in the target', { target: '/a HTTP/1.1\r\nX: ' }],
    ['a target that is a URL', { target: 'http://evil/' }],
    ['an empty target', { target: '' }],
    ['a method with a space', { method: 'GET /evil' }],
    ['CONNECT', { method: 'CONNECT' }],
    ['a line break in the host', { host: 'a\r\nX: 1' }],
    ['an empty host', { host: '' }],
  ])('is not written with %s', (_name, change) => {
    expect(() => writeRequestHead({ ...facts, ...change })).toThrow(HeadError)
  })

  it('is refused without telling a value', () => {
    expect(() => writeRequestHead({ ...facts, fields: ['Authorization', 'secret\n'] })).toThrow(
      /^the value of the field "Authorization" is invalid$/,
    )
  })
})

describe('the framing of a body', () => {
  it.each([
    [{ method: 'POST', hasBody: true, contentLength: 5 }, 5],
    [{ method: 'POST', hasBody: true }, 'chunked'],
    [{ method: 'GET', hasBody: true }, 'chunked'],
    [{ method: 'POST', hasBody: false }, 0],
    [{ method: 'DELETE', hasBody: false, contentLength: 0 }, 0],
    [{ method: 'GET', hasBody: false }, 'none'],
    [{ method: 'DELETE', hasBody: false }, 'none'],
  ] as const)('of %j is %s', (request, framing) => {
    expect(framingOf(request)).toBe(framing)
  })
})
