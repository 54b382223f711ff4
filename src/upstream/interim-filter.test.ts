import { describe, expect, it } from 'vitest'
import { InterimFilter } from './interim-filter.ts'

const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const go = 'HTTP/1.1 100 Continue\r\nx-note: a\r\n\r\n'
const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'

/** What the parser would read, the input cut at each of the given positions. */
function filtered(input: string, cuts: readonly number[] = []): string {
  const filter = new InterimFilter()
  filter.expect()
  const bytes = Buffer.from(input, 'latin1')
  let output = ''
  let start = 0
  for (const cut of [...cuts, bytes.length]) {
    output += filter.push(bytes.subarray(start, cut))?.toString('latin1') ?? ''
    start = cut
  }
  return output
}

describe('the interim filter', () => {
  const cases = {
    'a final answer': [final, final],
    'a 100 before the answer': [go + final, final],
    'several 100s': [go + go + final, final],
    'early hints': [hints + final, hints + final],
    'a 100 between early hints': [hints + go + hints + final, hints + hints + final],
    'a 101': [
      'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 100 x\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 100 x\r\n\r\n',
    ],
    'bytes that are no answer': ['nonsense\r\n\r\n' + go, 'nonsense\r\n\r\n' + go],
    'a body that looks like a 100': [final.replace('ok', go), final.replace('ok', go)],
  } as const

  for (const [name, [input, output]] of Object.entries(cases)) {
    it(`reads ${name} the same at every split`, () => {
      expect(filtered(input)).toBe(output)
      for (let cut = 1; cut < input.length; cut += 1) {
        expect(filtered(input, [cut]), `cut at ${cut}`).toBe(output)
      }
      expect(
        filtered(
          input,
          Array.from({ length: input.length - 1 }, (_, index) => index + 1),
        ),
      ).toBe(output)
    })
  }

  it('tells the version of the final status line', () => {
    for (const [start, version] of [
      ['HTTP/1.0', '1.0'],
      ['HTTP/1.1', '1.1'],
      ['HTTP/2.0', undefined],
      ['RTSP/1.0', undefined],
    ] as const) {
      const filter = new InterimFilter()
      filter.expect()
      filter.push(Buffer.from(`${start} 200 OK\r\n\r\n`))
      expect(filter.version).toBe(version)
    }
  })

  it('hands a 100 with the wrong line ends to the parser, which refuses it', () => {
    expect(filtered('HTTP/1.1 100 Continue\n\n')).toBe('HTTP/1.1 100 Continue\n\n')
  })

  it('holds no more than a bounded head back', () => {
    const filter = new InterimFilter()
    filter.expect()
    const endless = Buffer.from(`HTTP/1.1 100 Continue\r\nx: ${'a'.repeat(20_000)}`)
    expect(filter.push(endless)?.length).toBe(endless.length)
  })

  it('leaves bytes alone while no answer is expected', () => {
    expect(new InterimFilter().push(Buffer.from(go))?.toString()).toBe(go)
  })
})
