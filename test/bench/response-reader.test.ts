/** Where an answer ends: latency counts until then, so a wrong end would be a wrong number. */
import { describe, expect, it } from 'vitest'
import { createResponseReader, type Reading } from '../../bench/latency/response.ts'

const withLength = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello'
const inChunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n0\r\n\r\n0\r\n\r\n'

function readings(text: string, size: number): Reading[] {
  const reader = createResponseReader()
  const pieces = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []
  return pieces.map((piece) => reader.read(Buffer.from(piece)))
}

describe('the end of an answer', () => {
  it.each([1, 2, 3, 7, 1000])('is found in pieces of %i bytes, by length', (size) => {
    const found = readings(withLength, size)
    expect(found.at(-1)).toBe('done')
    expect(found.slice(0, -1).every((reading) => reading === 'more')).toBe(true)
  })

  it.each([7, 1000])('is found in pieces of %i bytes, by the last chunk', (size) => {
    expect(readings(inChunks, size).at(-1)).toBe('done')
  })

  it('is found of one answer after the other', () => {
    const reader = createResponseReader()
    const answer = Buffer.from(withLength)
    expect([reader.read(answer), reader.read(answer)]).toEqual(['done', 'done'])
    expect([reader.read(answer.subarray(0, 20)), reader.read(answer.subarray(20))]).toEqual(['more', 'done'])
  })

  it.each([
    ['a refusal', withLength.replace('200 OK', '401 No')],
    ['more bytes than the length says', `${withLength}!`],
    ['no length and no chunks', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ])('is bad with %s', (_, text) => {
    expect(readings(text, 1000)).toEqual(['bad'])
  })
})
