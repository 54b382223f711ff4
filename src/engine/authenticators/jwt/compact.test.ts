import { describe, expect, it } from 'vitest'
import { accessClaims, createSigner, encode, mint } from '../../../../test/support/tokens.ts'
import { maxTokenLength, parseCompact } from './compact.ts'

const signer = createSigner('ES256')
const good = mint(signer, accessClaims())

describe('a compact token', () => {
  it('comes apart into header, claims, signature and what was signed', () => {
    const parsed = parseCompact(good)
    expect(parsed?.header).toEqual({ alg: 'ES256', kid: 'ES256-1', typ: 'JWT' })
    expect(parsed?.claims).toEqual(accessClaims())
    expect(parsed?.signature).toHaveLength(64)
    expect(parsed?.signed.toString()).toBe(good.slice(0, good.lastIndexOf('.')))
  })

  const [header = '', claims = '', signature = ''] = good.split('.')
  it.each([
    ['two parts', `${header}.${claims}`],
    ['four parts', `${good}.${signature}`],
    ['five parts, an encrypted token', `${good}.${signature}.${signature}`],
    ['an empty signature', `${header}.${claims}.`],
    ['an empty payload', `${header}..${signature}`],
    ['an empty header', `.${claims}.${signature}`],
    ['no dot', 'abc'],
    ['nothing', ''],
    ['padding', `${header}.${claims}.${signature}==`],
    ['a space', `${header}.${claims}. ${signature}`],
    ['a line break at the end', `${good}\n`],
    ['the standard alphabet', `${header}.${claims}.${signature.slice(0, -4)}+/+/`],
    ['a null byte', `${header}.${claims}.${signature}\0`],
    ['a letter beyond ASCII', `${header}.${claims}.${signature}é`],
    ['a payload that is a list', `${header}.${encode('[]')}.${signature}`],
    ['a payload that is a string', `${header}.${encode('"x"')}.${signature}`],
  ])('is refused with %s', (_what, token) => {
    expect(parseCompact(token)).toBeUndefined()
  })

  it('has one spelling: set trailing bits and dangling characters are refused', () => {
    // 64 bytes are 86 characters, whose last carries four unused bits.
    const last = signature.slice(-1)
    const spellings = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      .map((letter) => signature.slice(0, -1) + letter)
      .filter((spelling) => Buffer.from(spelling, 'base64url').equals(Buffer.from(signature, 'base64url')))
    expect(spellings).toHaveLength(16)
    expect(spellings.filter((each) => parseCompact(`${header}.${claims}.${each}`) !== undefined)).toEqual([
      signature.slice(0, -1) + last,
    ])
    expect(parseCompact(`${header}.${claims}.${signature}AAA`)).toBeUndefined()
  })

  it('is bounded in length', () => {
    const filler = (length: number): string => mint(signer, accessClaims({ filler: 'x'.repeat(length) }))
    expect(filler(11_000).length).toBeLessThan(maxTokenLength)
    expect(parseCompact(filler(11_000))).toBeDefined()
    expect(parseCompact(filler(12_500))).toBeUndefined()
    expect(parseCompact(mint(signer, accessClaims(), { pad: 'x'.repeat(1_600) }))).toBeUndefined()
  })
})
