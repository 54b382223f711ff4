import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVectors } from '../../../../test/support/vectors.ts'
import { parseJsonObject } from './strict-json.ts'

/** A text, and whether no name in it is written twice. */
type Written = readonly [text: string, isGood: boolean]

const parse = (text: string): unknown => parseJsonObject(Buffer.from(text))

interface ParsingSuite {
  readonly cases: readonly {
    readonly name: string
    readonly expected: 'accept' | 'reject' | 'either'
    readonly base64: string
  }[]
}

describe('strict JSON', () => {
  it('reads an object with everything in it', () => {
    expect(parse('{"a":[1,{"b":"x\\"},{"}],"c":{"a":null},"d":"\\\\","e":"é"}')).toEqual({
      a: [1, { b: 'x"},{' }],
      c: { a: null },
      d: '\\',
      e: 'é',
    })
  })

  it.each([
    ['at the top', '{"a":1,"a":1}'],
    ['deeper', '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
    ['spelt with an escape', '{"alg":"x","\\u0061lg":"y"}'],
    ['after a nested object of the same name', '{"a":{"a":1},"b":[],"a":2}'],
    ['that are empty', '{"":1,"":2}'],
    ['with escaped quotes', '{"a\\"b":1,"a\\"b":2}'],
  ])('refuses repeated members %s', (_where, text) => {
    expect(parse(text)).toBeUndefined()
  })

  it('lets the same name stand in different objects, and a value repeat', () => {
    expect(parse('{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a","d":"a","e":["a","a"]}')).toBeDefined()
  })

  it.each([
    ['a list', '[1]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['nothing', ''],
    ['two documents', '{}{}'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{/**/}'],
    ['a byte order mark', '\ufeff{}'],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['an escaped __proto__', '{"\\u005f_proto__":1}'],
  ])('refuses %s', (_what, text) => {
    expect(parse(text)).toBeUndefined()
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('refuses invalid UTF-8: %s', (_what, bytes) => {
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(parseJsonObject(text)).toBeUndefined()
  })

  it('takes 32 levels and no more', () => {
    const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
    expect(parse(nested(32))).toBeDefined()
    expect(parse(nested(33))).toBeUndefined()
    expect(parse(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`)).toBeUndefined()
    expect(parse('{"a":' + '['.repeat(5_000))).toBeUndefined()
  })

  it('reads an escaped name as what it says, whatever was read before', () => {
    for (const seed of ['{"a":1,"\\\\":2}', '{"a":1,"x\\\\":2}', '{"a":1,"\\"\\\\":2}'])
      for (let time = 0; time < 10; time += 1) parse(seed)
    expect(parse('{"a":1,"\\u0062":2}')).toEqual({ a: 1, b: 2 })
    expect(parse('{"a":1,"x\\u0079":2}')).toEqual({ a: 1, xy: 2 })
    expect(parse('{"a":1,"\\u0062":2,"\\u0062":3}')).toBeUndefined()
    expect(parse('{"a":1,"\\u0063\\u0000":2}')).toEqual({ a: 1, 'c\0': 2 })
    expect(parse('{"a":1,"\\"\\u0063":"\\u0062"}')).toEqual({ a: 1, '"c': 'b' })
  })

  it('refuses exactly the texts in which an object, at any depth, has a name twice or a name that nobody may have', () => {
    const name = fc.constantFrom(
      'a',
      'b',
      '',
      '\\u0061',
      '\\"',
      '\\\\',
      ':',
      '__proto__',
      '\\u005f_proto__',
      '{',
      'é',
    )
    const space = fc.constantFrom('', '', ' ', '\n\t', '\r ')
    const { value } = fc.letrec<{ value: Written; object: Written }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Written>(
          ['1', true],
          ['":"', true],
          ['"\\\\"', true],
          ['"a\\":"', true],
          ['null', true],
        ),
        tie('object'),
        fc
          .array(tie('value'), { maxLength: 3 })
          .map((all): Written => [
            `[${all.map(([text]) => text).join(',')}]`,
            all.every(([, isGood]) => isGood),
          ]),
      ),
      object: fc.array(fc.tuple(space, name, space, tie('value')), { maxLength: 4 }).map((all): Written => {
        const names = all.map(([, name]) => JSON.parse(`"${name}"`) as string)
        const isGood = new Set(names).size === names.length && !names.includes('__proto__')
        return [
          `{${all.map(([before, name, after, [text]]) => `${before}"${name}"${after}:${after}${text}`).join(',')}}`,
          isGood && all.every(([, , , [, isGood]]) => isGood),
        ]
      }),
    }))
    fc.assert(
      fc.property(value, ([text, isGood]) => {
        expect(parse(`{"v":${text}}`) !== undefined).toBe(isGood)
      }),
      { numRuns: 3000 },
    )
  })

  const suite = readVectors('misc/json-parsing.json') as ParsingSuite | undefined

  it.skipIf(suite === undefined)(
    'agrees with the published parsing suite, each case wrapped as a member',
    () => {
      const cases = suite?.cases ?? []
      // Stricter by intent: repeated names, which the grammar allows.
      const repeated = cases.filter(({ name }) => name.includes('duplicated_key'))
      const wrong = cases
        .filter((each) => each.expected !== 'either' && !repeated.includes(each))
        .filter(({ expected, base64 }) => takesWrapped(base64) !== (expected === 'accept'))
        .map(({ name }) => name)
      expect(wrong).toEqual([])
      expect(cases.length).toBeGreaterThan(300)
      expect(repeated.map(({ base64 }) => takesWrapped(base64))).toEqual([false, false])
    },
  )
})

function takesWrapped(base64: string): boolean {
  const bytes = [Buffer.from('{"v":'), Buffer.from(base64, 'base64'), Buffer.from('}')]
  return parseJsonObject(Buffer.concat(bytes)) !== undefined
}
