import { array, assert as check, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFieldValue, encodeListElement } from './encode.ts'

/** Any Unicode scalar value, the low ones often. */
const scalar = integer({ min: 0, max: 0x10f7ff }).map((it) =>
  it % 3 === 0 ? it % 256 : it < 0xd800 ? it : it + 0x800,
)

describe('a value for a field', () => {
  it.each([
    ['alice', 'alice'],
    ['!#$&\'()*+-./:;<=>?@[\\]^_`{|}~,"', '!#$&\'()*+-./:;<=>?@[\\]^_`{|}~,"'],
    ['50%', '50%25'],
    ['%0d%0a', '%250d%250a'],
    ['a b', 'a%20b'],
    ['a\r\nX-Auth-Roles: admin', 'a%0D%0AX-Auth-Roles:%20admin'],
    ['žofie', '%C5%BEofie'],
    ['😀', '%F0%9F%98%80'],
    ['\u0000\u007f\u0085\u00a0', '%00%7F%C2%85%C2%A0'],
    ['\ud800', '%EF%BF%BD'],
    ['', ''],
  ])('%j is %s', (value, encoded) => {
    expect(encodeFieldValue(value)).toBe(encoded)
  })

  it('in a list holds no comma either', () => {
    expect(encodeListElement('admin,root')).toBe('admin%2Croot')
    expect(encodeListElement('ž,%')).toBe('%C5%BE%2C%25')
    expect(encodeListElement('viewer')).toBe('viewer')
  })

  it('is visible ASCII and gives the value back when decoded, whatever it was', () => {
    check(
      property(array(scalar), (scalars) => {
        const value = String.fromCodePoint(...scalars)
        for (const encoded of [encodeFieldValue(value), encodeListElement(value)]) {
          expect(encoded).toMatch(/^[\x21-\x7e]*$/)
          expect(decodeURIComponent(encoded)).toBe(value)
        }
      }),
    )
  })
})
