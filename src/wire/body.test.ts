import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader, type Framing } from './body.ts'

interface Read {
  readonly outcome: string
  readonly body: string
  readonly rest: string
  readonly trailers: readonly string[]
}

/** Shows the bytes in pieces, each in a buffer of its own. */
function read(framing: Framing, text: string, cuts: readonly number[] = []): Read {
  const reader = new BodyReader()
  reader.begin(framing)
  let body = ''
  let start = 0
  for (const cut of [...cuts, text.length]) {
    const bytes = Buffer.from(text.slice(start, cut), 'latin1')
    let at = 0
    for (;;) {
      const progress = reader.next(bytes, at, bytes.length)
      at = reader.at
      if (progress === 'data') body += bytes.toString('latin1', reader.start, reader.end)
      else if (progress === 'more') break
      else {
        const outcome = progress === 'fault' ? reader.fault! : progress
        return { outcome, body, rest: text.slice(start + at), trailers: reader.trailers }
      }
    }
    start = cut
  }
  return { outcome: 'more', body, rest: '', trailers: [] }
}

function cutEverywhere(text: string): number[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, index) => index + 1)
}

describe('a body with a length', () => {
  it('ends after so many bytes, and what follows is not its own', () => {
    expect(read(5, 'helloGET /')).toMatchObject({ outcome: 'done', body: 'hello', rest: 'GET /' })
    expect(read(0, 'GET /')).toMatchObject({ outcome: 'done', body: '', rest: 'GET /' })
    expect(read(5, 'hell')).toMatchObject({ outcome: 'more', body: 'hell' })
  })
})

describe('a body that ends with the connection', () => {
  it('never ends by itself', () => {
    expect(read('close', 'a'.repeat(100))).toMatchObject({ outcome: 'more', body: 'a'.repeat(100) })
  })
})

describe('a chunked body', () => {
  it.each([
    ['5\r\nhello\r\n0\r\n\r\nrest', 'hello', []],
    ['0\r\n\r\nrest', '', []],
    ['00000005\r\nhello\r\n000\r\n\r\nrest', 'hello', []],
    ['a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\nrest', '01234567890123456789', []],
    ['1;a\r\nx\r\n1;a=b;c="d\\"e"\r\ny\r\n0;z\r\n\r\nrest', 'xy', []],
    ['1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\nrest', 'x', ['A', 'b', 'C', 'd']],
  ])('%j is read, however it is cut', (text, body, trailers) => {
    const expected = { outcome: 'done', body, rest: 'rest', trailers }
    for (let cut = 0; cut <= text.length; cut += 1) expect(read('chunked', text, [cut])).toEqual(expected)
    expect(read('chunked', text, cutEverywhere(text))).toEqual(expected)
  })

  it.each([
    ['\r\n', 'chunk-size'],
    [' 1\r\nx\r\n', 'chunk-size'],
    ['1 \r\nx\r\n', 'chunk-size'],
    ['1\nx\r\n', 'chunk-size'],
    ['1\rx', 'chunk-size'],
    ['0x1\r\nx\r\n', 'chunk-size'],
    ['+1\r\nx\r\n', 'chunk-size'],
    ['-1\r\nx\r\n', 'chunk-size'],
    ['000000001\r\nx\r\n', 'chunk-size'],
    ['100000000\r\n', 'chunk-size'],
    ['g\r\n', 'chunk-size'],
    ['1;\r\nx\r\n', 'chunk-extension'],
    ['1;a\nx\r\n', 'chunk-extension'],
    ['1; a\r\nx\r\n', 'chunk-extension'],
    ['1;a=\r\nx\r\n', 'chunk-extension'],
    ['1;a="b\r\nx', 'chunk-extension'],
    ['1;a="b"c\r\nx', 'chunk-extension'],
    ['1;a\0\r\nx', 'chunk-extension'],
    [`1;${'a'.repeat(300)}`, 'chunk-extension'],
    ['1\r\nxy', 'chunk-end'],
    ['1\r\nx\n', 'chunk-end'],
    ['1\r\nx\ry', 'chunk-end'],
    ['0\r\nA: b\n\r\n', 'line-end'],
    ['0\r\n A: b\r\n\r\n', 'folding'],
    ['0\r\nA\r\n\r\n', 'field-name'],
    ['0\r\ncontent-LENGTH: 3\r\n\r\n', 'trailer-field'],
    ['0\r\nTransfer-Encoding: chunked\r\n\r\n', 'trailer-field'],
    ['0\r\n\rX', 'line-end'],
    [`0\r\n${'A: b\r\n'.repeat(65)}`, 'field-count'],
    [`0\r\nA: ${'b'.repeat(9000)}`, 'trailer-size'],
  ])('%j is refused: %s, however it is cut', (text, fault) => {
    const step = Math.max(1, Math.floor(text.length / 50))
    for (let cut = 0; cut < text.length; cut += step) expect(read('chunked', text, [cut]).outcome).toBe(fault)
    if (text.length < 200) expect(read('chunked', text, cutEverywhere(text)).outcome).toBe(fault)
  })

  it('stops extensions that add up over many chunks', () => {
    expect(read('chunked', `1;${'a'.repeat(200)}\r\nx\r\n`.repeat(100)).outcome).toBe('chunk-extension')
  })

  it('gives back what was put into chunks of any sizes, cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (parts, cuts) => {
          const chunks = parts.map((part) => {
            const bytes = Buffer.from(part)
            return `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n`
          })
          const text = `${chunks.join('')}0\r\n\r\nnext`
          const sorted = cuts.map((cut) => Math.min(cut, text.length)).toSorted((one, other) => one - other)
          const result = read('chunked', text, sorted)
          expect(result).toMatchObject({ outcome: 'done', rest: 'next' })
          expect(Buffer.from(result.body, 'latin1').toString()).toBe(parts.join(''))
        },
      ),
    )
  })
})
