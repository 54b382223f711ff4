import { describe, expect, it } from 'vitest'
import { readVectors } from '../../../../test/support/vectors.ts'
import { parseJsonObject } from './strict-json.ts'

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
