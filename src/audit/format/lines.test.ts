import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxLineBytes } from './chain.ts'
import { LineSplitter, type Line } from './lines.ts'

function splitAll(text: string, sizes: readonly number[]): Line[] {
  const splitter = new LineSplitter(100)
  const bytes = Buffer.from(text)
  const lines: Line[] = []
  let at = 0
  for (const size of [...sizes, bytes.length]) {
    lines.push(...splitter.split(bytes.subarray(at, at + size)))
    at += size
  }
  const rest = splitter.rest()
  return rest === undefined ? lines : [...lines, rest]
}

describe('a line splitter', () => {
  it('finds the same lines at the same places however the chunks fall', () => {
    const text = fc.array(fc.string({ maxLength: 20 }), { maxLength: 20 }).map((lines) => lines.join('\n'))
    fc.assert(
      fc.property(text, fc.array(fc.nat(15), { maxLength: 30 }), (text, sizes) => {
        const lines = splitAll(text, sizes)
        const whole = Buffer.from(text)
        expect(lines.reduce((sum, line) => sum + line.length, 0)).toBe(whole.length)
        let at = 100
        for (const line of lines) {
          expect(line.offset).toBe(at)
          const end = line.offset - 100 + line.length - (line.isComplete ? 1 : 0)
          expect(line.bytes.equals(whole.subarray(line.offset - 100, end))).toBe(true)
          at += line.length
        }
        expect(lines.at(-1)?.isComplete ?? true).toBe(text === '' || text.endsWith('\n'))
      }),
    )
  })

  it('holds of an overlong line only the beginning, and goes on after it', () => {
    const splitter = new LineSplitter(0)
    const lines: Line[] = []
    for (let chunk = 0; chunk < 100; chunk++) lines.push(...splitter.split(Buffer.alloc(100_000, 'x')))
    lines.push(...splitter.split(Buffer.from('\nnext\n')))
    expect(lines.map((line) => line.length)).toEqual([10_000_001, 5])
    expect(lines[0]?.bytes.length).toBeLessThan(maxLineBytes + 10)
    expect(lines[1]?.bytes.toString()).toBe('next')
  })
})
