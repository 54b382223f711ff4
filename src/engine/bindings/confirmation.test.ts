import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confirmationOf } from './confirmation.ts'

const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const x5t = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0'

describe('what a token says of its key', () => {
  it('is nothing where it says nothing', () => {
    expect(confirmationOf({ sub: 'alice' })).toBeUndefined()
    expect(confirmationOf(Object.create({ cnf: { jkt } }))).toBeUndefined()
  })

  it('is a key for proofs, a certificate, or both', () => {
    expect(confirmationOf({ cnf: { jkt } })).toEqual({ jkt })
    expect(confirmationOf({ cnf: { 'x5t#S256': x5t } })).toEqual({ x5tS256: x5t })
    expect(confirmationOf({ cnf: { jkt, 'x5t#S256': x5t } })).toEqual({ jkt, x5tS256: x5t })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['text', jkt],
    ['a number', 1],
    ['false', false],
    ['a list', [{ jkt }]],
    ['empty', {}],
    ['a key in place', { jwk: { kty: 'EC' } }],
    ['an encrypted key', { jwe: 'a.b.c.d.e' }],
    ['a key by name', { kid: 'a' }],
    ['a key by address', { jku: 'https://keys.example.com' }],
    ['a certificate by address', { x5u: 'https://keys.example.com' }],
    ['an old thumbprint', { x5t: x5t.slice(0, 27) }],
    ['another case', { JKT: jkt }],
    ['something new', { osc: {} }],
    ['something new beside a known one', { jkt, osc: jkt }],
    ['a name that looks inherited', JSON.parse(`{"__proto__": "${jkt}"}`)],
    ['a thumbprint that is no text', { jkt: [jkt] }],
    ['a thumbprint that is null', { jkt: null, 'x5t#S256': x5t }],
    ['a short thumbprint', { jkt: jkt.slice(1) }],
    ['a long thumbprint', { jkt: `${jkt}A` }],
    ['a padded thumbprint', { jkt: `${jkt.slice(0, 42)}=` }],
    ['a thumbprint with a line break', { jkt: `${jkt}\n` }],
    ['an empty thumbprint', { 'x5t#S256': '' }],
  ])('can never be met when it is %s', (_what, cnf) => {
    const read = confirmationOf({ cnf })
    expect(read?.unknown).toEqual(expect.any(String))
    expect(read).not.toHaveProperty('jkt')
    expect(read).not.toHaveProperty('x5tS256')
  })

  it('is never lost, whatever stands there', () => {
    const own = fc.oneof(fc.constant('jkt'), fc.constant('x5t#S256'), fc.string())
    const value = fc.oneof(fc.constant(jkt), fc.constant(x5t), fc.jsonValue())
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(own, value)), (cnf) => {
        const read = confirmationOf({ cnf })!
        expect(read.unknown !== undefined || read.jkt !== undefined || read.x5tS256 !== undefined).toBe(true)
      }),
    )
  })

  it('repeats nothing strange to the operator', () => {
    expect(confirmationOf({ cnf: { 'a b\u0000': 1 } })?.unknown).toBe('a strange member')
    expect(confirmationOf({ cnf: { ['x'.repeat(33)]: 1 } })?.unknown).toBe('a strange member')
    expect(confirmationOf({ cnf: { jwk: {} } })?.unknown).toBe('jwk')
  })
})
