import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freshId, requestIdOf } from './request-id.ts'
import { traceContextOf } from './traceparent.ts'

describe('a request id', () => {
  it.each(['a', 'A-b_c.9', 'x'.repeat(128)])('is kept when it is sane: %s', (id) => {
    expect(requestIdOf(['Host', 'x', 'X-REQUEST-ID', id])).toBe(id)
  })

  it.each(['', 'a b', 'a\tb', 'a/b', '<b>', 'é', 'x'.repeat(129), 'a,b', 'a:b'])(
    'is made anew when it is not: %j',
    (id) => {
      expect(requestIdOf(['X-Request-Id', id])).toMatch(/^[\da-f]{32}$/)
    },
  )

  it('is made anew when there are two, or none', () => {
    expect(requestIdOf(['X-Request-Id', 'a', 'x-request-id', 'a'])).toMatch(/^[\da-f]{32}$/)
    expect(requestIdOf([])).toMatch(/^[\da-f]{32}$/)
  })

  it('is never made twice', () => {
    const ids = new Set(Array.from({ length: 5000 }, freshId))
    expect(ids.size).toBe(5000)
  })
})

describe('a trace', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const spanId = '00f067aa0ba902b7'
  const parent = `00-${traceId}-${spanId}-01`

  it('is continued with a span of our own', () => {
    const context = traceContextOf(['Traceparent', parent, 'tracestate', 'a=1', 'TraceState', 'b=2'])
    expect(context).toMatchObject({ traceId, parent, tracestate: 'a=1,b=2' })
    expect(context.traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`))
    expect(context.traceparent).not.toContain(spanId)
  })

  it('of a later version is continued in ours, with the flags that we know', () => {
    const context = traceContextOf(['traceparent', `cc-${traceId}-${spanId}-ff-what-comes`])
    expect(context.traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-03$`))
  })

  it.each([
    '',
    'rubbish',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-01 `,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `${parent},${parent}`,
  ])('begins anew, without the state of another, for %j', (value) => {
    const context = traceContextOf(['traceparent', value, 'tracestate', 'a=1'])
    expect(context.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/)
    expect(context.traceparent).toBe(`00-${context.traceId}${context.traceparent.slice(35)}`)
    expect(context.traceId).not.toBe(traceId)
    expect(context.parent).toBeUndefined()
    expect(context.tracestate).toBeUndefined()
  })

  it('is continued for exactly what the specification calls valid', () => {
    const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
    const isValid = (value: string): boolean => {
      const [, version, trace = '', span = '', , more] = form.exec(value) ?? []
      if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return false
      return !/^0+$/.test(trace) && !/^0+$/.test(span)
    }
    const piece = (length: number): fc.Arbitrary<string> =>
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.string({
            unit: fc.constantFrom(...'0123456789abcdef'.split('')),
            minLength: length,
            maxLength: length,
          }),
        },
        fc.constant('0'.repeat(length)),
        fc.string({
          unit: fc.constantFrom('0', 'a', 'F', '-', 'g'),
          minLength: length - 1,
          maxLength: length + 1,
        }),
      )
    const value = fc
      .tuple(
        fc.oneof(fc.constantFrom('00', 'ff', '01'), piece(2)),
        piece(32),
        piece(16),
        piece(2),
        fc.constantFrom('', '', '-', '-x', 'x', '-01'),
      )
      .map(([version, trace, span, flags, more]) => `${version}-${trace}-${span}-${flags}${more}`)
    fc.assert(
      fc.property(
        value,
        (value) => (traceContextOf(['traceparent', value]).parent !== undefined) === isValid(value),
      ),
      { numRuns: 2000 },
    )
  })

  it('begins anew when there are two parents', () => {
    expect(traceContextOf(['traceparent', parent, 'traceparent', parent]).parent).toBeUndefined()
  })

  it.each(['x'.repeat(513), 'a=\xff', ''])('drops a state that is too long or malformed', (state) => {
    expect(traceContextOf(['traceparent', parent, 'tracestate', state])).toMatchObject({ parent })
    expect(traceContextOf(['traceparent', parent, 'tracestate', state]).tracestate).toBeUndefined()
  })
})
