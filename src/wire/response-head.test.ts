import { describe, expect, it } from 'vitest'
import { ResponseHeadParser } from './response-head.ts'

const bounds = { headers: 1024, headerCount: 10 }

function parse(
  text: string,
  cuts: readonly number[] = [],
): { readonly outcome: string; readonly parser: ResponseHeadParser } {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new ResponseHeadParser()
  let outcome = 'more'
  for (const cut of [...cuts, bytes.length]) {
    outcome = parser.parse(bytes, 0, cut, bounds)
    if (outcome !== 'more') break
  }
  return { outcome: outcome === 'fault' ? parser.fault! : outcome, parser }
}

describe('a response head', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n', { version: '1.1', status: 200, reason: 'OK', fields: ['A', 'b'] }],
    ['HTTP/1.0 404 Not Found\r\n\r\n', { version: '1.0', status: 404, reason: 'Not Found', fields: [] }],
    ['HTTP/1.1 204 \r\n\r\n', { version: '1.1', status: 204, reason: '', fields: [] }],
    ['HTTP/1.1 204\r\n\r\n', { version: '1.1', status: 204, reason: '', fields: [] }],
    ['HTTP/1.1 200 caf\xe9\r\n\r\n', { version: '1.1', status: 200, reason: 'caf\xe9', fields: [] }],
  ])('%j is read, however it is cut', (text, expected) => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const { outcome, parser } = parse(`${text}body`, [cut])
      expect(outcome).toBe('done')
      expect(parser.size).toBe(text.length)
      expect(parser).toMatchObject(expected)
    }
  })

  it.each([
    ['HTTP/1.1 200 OK\nA: b\r\n\r\n', 'status-line'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'status-line'],
    ['HTTP/1.1 20 OK\r\n\r\n', 'status-line'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'status-line'],
    ['HTTP/1.1 200\tOK\r\n\r\n', 'status-line'],
    ['HTTP/1.1 200 O\0K\r\n\r\n', 'status-line'],
    ['HTTP/1.1 200 O\rK\r\n\r\n', 'status-line'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'status-line'],
    ['HTTP/1.2 200 OK\r\n\r\n', 'status-line'],
    ['ICY 200 OK\r\n\r\n', 'status-line'],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'status-line'],
    ['HTTP/1.1 200 OK\r\n folded: x\r\n\r\n', 'folding'],
    ['HTTP/1.1 200 OK\r\nA: b\n\r\n', 'line-end'],
    ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n', 'field-name'],
    ['HTTP/1.1 200 OK\r\nA\r\n\r\n', 'field-name'],
    [`HTTP/1.1 200 ${'x'.repeat(1100)}`, 'head-size'],
    [`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(11)}`, 'field-count'],
  ])('%j is refused: %s, however it is cut', (text, fault) => {
    for (let cut = 0; cut < text.length; cut += 1) expect(parse(text, [cut]).outcome).toBe(fault)
  })
})
