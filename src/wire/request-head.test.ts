import { describe, expect, it } from 'vitest'
import { RequestHeadParser } from './request-head.ts'

const bounds = { headers: 1024, headerCount: 10 }

function parse(text: string): { readonly progress: string; readonly parser: RequestHeadParser } {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new RequestHeadParser()
  return { progress: parser.parse(bytes, 0, bytes.length, bounds), parser }
}

/** Every way to cut the bytes in two, and byte by byte: the outcome must not depend on it. */
function parseInPieces(
  text: string,
  cuts: readonly number[],
): { readonly outcome: string; readonly size: number } {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new RequestHeadParser()
  let outcome = 'more'
  for (const cut of [...cuts, bytes.length]) {
    outcome = parser.parse(bytes, 0, cut, bounds)
    if (outcome !== 'more') break
  }
  return { outcome: outcome === 'fault' ? parser.fault! : outcome, size: parser.size }
}

describe('a request head', () => {
  it('is read with its method, target, version and lines, and ends behind its empty line', () => {
    const text = 'GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept:*/*\r\nX-Empty:\r\nX-Long: \t a b \t\r\n\r\n'
    const { progress, parser } = parse(`${text}GET /next`)
    expect(progress).toBe('done')
    expect(parser.size).toBe(text.length)
    expect([parser.method, parser.target, parser.version]).toEqual(['GET', '/a?b=c', '1.1'])
    expect(parser.fields).toEqual(['Host', 'x', 'Accept', '*/*', 'X-Empty', '', 'X-Long', 'a b'])
  })

  it('begins where its reader says, and one parser reads one after another', () => {
    const first = 'POST /1 HTTP/1.0\r\nA: b\r\n\r\n'
    const bytes = Buffer.from(`${first}PUT /2 HTTP/1.1\r\nC: d\r\n\r\n`, 'latin1')
    const parser = new RequestHeadParser()
    expect(parser.parse(bytes, 0, bytes.length, bounds)).toBe('done')
    expect([parser.method, parser.version, parser.size]).toEqual(['POST', '1.0', first.length])
    parser.reset()
    expect(parser.parse(bytes, first.length, bytes.length, bounds)).toBe('done')
    expect([parser.method, parser.target, parser.fields]).toEqual(['PUT', '/2', ['C', 'd']])
  })

  it.each([
    ['GET / HTTP/1.1\nHost: x\r\n\r\n', 'request-line'],
    ['GET / HTTP/1.1\r\nHost: x\n\r\n', 'line-end'],
    ['GET / HTTP/1.1\r\nHost: x\r\n\n', 'line-end'],
    ['GET / HTTP/1.1\r\nHost: x\r\r\n\r\n', 'line-end'],
    ['GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n', 'line-end'],
    ['GET / HTTP/1.1\r\nHost: x\r\n\rX', 'line-end'],
    ['\r\nGET / HTTP/1.1\r\n\r\n', 'method'],
    [' GET / HTTP/1.1\r\n\r\n', 'method'],
    ['get / HTTP/1.1\r\n\r\n', 'method'],
    ['FOO / HTTP/1.1\r\n\r\n', 'method'],
    ['GETGETGETGETGETGETGETGET', 'method'],
    ['\x16\x03\x01', 'method'],
    ['GET  / HTTP/1.1\r\n\r\n', 'target'],
    ['GET\t/ HTTP/1.1\r\n\r\n', 'method'],
    ['GET /\xff HTTP/1.1\r\n\r\n', 'target'],
    ['GET /# HTTP/1.1\r\n\r\n', 'target'],
    ['GET /\r\n\r\n', 'target'],
    ['GET / HTTP/1.2\r\n\r\n', 'version'],
    ['GET / HTTP/2.0\r\n\r\n', 'version'],
    ['GET / http/1.1\r\n\r\n', 'version'],
    ['GET / HTTP/1.1 \r\n\r\n', 'request-line'],
    ['GET / HTTP/1.1\r\n Host: x\r\n\r\n', 'folding'],
    ['GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n', 'folding'],
    ['GET / HTTP/1.1\r\nHost : x\r\n\r\n', 'field-name'],
    ['GET / HTTP/1.1\r\nHost\r\n\r\n', 'field-name'],
    ['GET / HTTP/1.1\r\n: x\r\n\r\n', 'field-name'],
    ['GET / HTTP/1.1\r\nH\xe9: x\r\n\r\n', 'field-name'],
    ['GET / HTTP/1.1\r\nA: b\0c\r\n\r\n', 'field-value'],
    ['POST / HTTP/1.1\r\nContent-Length: 5\t\r\n\r\n', 'field-value'],
    ['GET / HTTP/1.1\r\nConnection: close\t\r\n\r\n', 'field-value'],
    ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked \t \r\n\r\n', 'field-value'],
    ['GET / HTTP/1.1\r\nA: b\x0bc\r\n\r\n', 'field-value'],
    ['GET / HTTP/1.1\r\nA: b\x7fc\r\n\r\n', 'field-value'],
    [`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(11)}\r\n`, 'field-count'],
    [`GET /${'a'.repeat(1024)} HTTP/1.1\r\n\r\n`, 'target-size'],
    [`GET /${'a'.repeat(1025)}`, 'target-size'],
    [`GET / HTTP/1.1\r\nA: ${'b'.repeat(1024)}`, 'head-size'],
  ])('%j is refused: %s, however it is cut', (text, fault) => {
    expect(parse(text).parser.fault).toBe(fault)
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(parseInPieces(text, [cut]).outcome).toBe(fault)
    }
    expect(
      parseInPieces(
        text,
        Array.from({ length: text.length - 1 }, (_, index) => index + 1),
      ).outcome,
    ).toBe(fault)
  })

  it('is the same however it is cut', () => {
    const text = 'OPTIONS /a/b HTTP/1.1\r\nHost: a.example:80\r\nX:\t y \r\nContent-Length: 3\r\n\r\n'
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(parseInPieces(`${text}abc`, [cut])).toEqual({ outcome: 'done', size: text.length })
    }
  })

  it('waits for more at every byte before its end', () => {
    const text = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    for (let end = 0; end < text.length; end += 1) expect(parse(text.slice(0, end)).progress).toBe('more')
  })
})
