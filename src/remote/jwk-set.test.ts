import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSigner, type Json } from '../../test/support/tokens.ts'
import { readKeySet } from './jwk-set.ts'
import { indexKeys } from './key-index.ts'

const rsa = createSigner('RS256')
const p256 = createSigner('ES256')
const ed = createSigner('EdDSA')

const read = (...keys: readonly unknown[]) => readKeySet({ keys }, new Map())

describe('a published key set', () => {
  it('gives each key with what its publisher says of it', () => {
    const keys = [...read(rsa.jwk, p256.jwk, { ...ed.jwk, issuer: 'https://i.example' }).values()]
    expect(keys).toMatchObject([
      { kid: 'RS256-1', kty: 'RSA', alg: 'RS256' },
      { kid: 'ES256-1', kty: 'EC', crv: 'P-256', alg: 'ES256' },
      { kid: 'EdDSA-1', kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', issuer: 'https://i.example' },
    ])
    expect(keys.every(({ key }) => key.type === 'public')).toBe(true)
  })

  it.each<[string, unknown]>([
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }],
    ['a key whose private half is published', { ...p256.privateKey.export({ format: 'jwk' }), kid: 'x' }],
    ['an RSA key with a lone private member', { ...rsa.jwk, p: 'AQAB' }],
    ['a key for encryption', { ...rsa.jwk, use: 'enc' }],
    ['a key of an unknown use', { ...rsa.jwk, use: ['sig'] }],
    ['a key that may only encrypt', { ...rsa.jwk, key_ops: ['encrypt'] }],
    ['a key for an encryption algorithm', { ...rsa.jwk, alg: 'RSA-OAEP' }],
    ['a key for an algorithm of another kind', { ...rsa.jwk, alg: 'ES256' }],
    ['a key for an algorithm of another curve', { ...p256.jwk, alg: 'ES384' }],
    ['a key for a secret', { ...rsa.jwk, alg: 'HS256' }],
    ['a key for none', { ...rsa.jwk, alg: 'none' }],
    ['a kid that is a number', { ...rsa.jwk, kid: 1 }],
    ['an endless kid', { ...rsa.jwk, kid: 'k'.repeat(257) }],
    ['an issuer that is no text', { ...rsa.jwk, issuer: 1 }],
    ['a small RSA key', createSigner('RS256', 'x', 1024).jwk],
    ['an RSA key without exponent', { ...rsa.jwk, e: undefined }],
    ['an RSA key with exponent 1', { ...rsa.jwk, e: 'AQ' }],
    ['an RSA key with an even exponent', { ...rsa.jwk, e: 'BA' }],
    ['an enormous RSA key', { kty: 'RSA', n: Buffer.alloc(1_025, 0xff).toString('base64url'), e: 'AQAB' }],
    ['a point off its curve', { ...p256.jwk, y: p256.jwk['x'] }],
    ['a curve that is none', { ...p256.jwk, crv: 'P-255' }],
    ['a curve of another kind', { kty: 'OKP', crv: 'P-256', x: p256.jwk['x'] }],
    [
      'a key agreement key',
      { ...generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), kid: 'x' },
    ],
    [
      'a curve that no algorithm here uses',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
    ],
    ['null', null],
    ['text', 'RSA'],
    ['an empty object', {}],
  ])('skips %s, and keeps its neighbours', (_what, bad) => {
    expect([...read(bad, ed.jwk, bad).values()].map(({ kid }) => kid)).toEqual(['EdDSA-1'])
  })

  it.each<[string, Json, RegExp]>([
    ['no list', {}, /no list/],
    ['an object for a list', { keys: { a: rsa.jwk } }, /no list/],
    ['an empty list', { keys: [] }, /no key that can/],
    ['nothing usable', { keys: [{ kty: 'oct', k: 'x' }] }, /no key that can/],
    ['101 keys', { keys: Array.from({ length: 101 }, () => rsa.jwk) }, /more than 100/],
  ])('is rubbish with %s', (_what, document, message) => {
    expect(() => readKeySet(document, new Map())).toThrow(message)
  })

  it('lists a key once, and keeps the imported one while it stays published', () => {
    const first = read(rsa.jwk, rsa.jwk, p256.jwk)
    expect(first.size).toBe(2)
    const second = readKeySet({ keys: [ed.jwk, rsa.jwk] }, first)
    expect([...second.values()][1]).toBe([...first.values()][0])
    const otherKid = readKeySet({ keys: [{ ...rsa.jwk, kid: 'new' }] }, first)
    expect([...otherKid.values()][0]).not.toBe([...first.values()][0])
  })
})

describe('the one key that fits', () => {
  const { alg: _alg, ...open } = rsa.jwk
  const match = (keys: readonly unknown[], kid: string | undefined, alg: string): string | undefined => {
    const found = indexKeys(read(...keys)).match(kid === undefined ? { alg } : { kid, alg })
    return typeof found === 'string' ? found : `key ${found.kid}`
  }

  it('is found by kid and algorithm', () => {
    expect(match([rsa.jwk, p256.jwk], 'RS256-1', 'RS256')).toBe('key RS256-1')
    expect(match([rsa.jwk, p256.jwk], 'RS256-1', 'PS256')).toBe('unfit')
    expect(match([rsa.jwk, p256.jwk], 'RS256-1', 'ES256')).toBe('unfit')
    expect(match([open], 'RS256-1', 'PS512')).toBe('key RS256-1')
    expect(match([rsa.jwk], 'strange', 'RS256')).toBe('missing')
    expect(match([rsa.jwk], '', 'RS256')).toBe('missing')
  })

  it('may share its kid with a key of another kind, not with one that fits too', () => {
    const shared = { ...p256.jwk, kid: 'RS256-1' }
    expect(match([rsa.jwk, shared], 'RS256-1', 'RS256')).toBe('key RS256-1')
    expect(match([rsa.jwk, shared], 'RS256-1', 'ES256')).toBe('key RS256-1')
    expect(match([rsa.jwk, createSigner('RS256', 'RS256-1').jwk], 'RS256-1', 'RS256')).toBe('several')
  })

  it('without kid is the only one that fits', () => {
    expect(match([rsa.jwk, p256.jwk], undefined, 'RS256')).toBe('key RS256-1')
    expect(match([rsa.jwk, createSigner('RS256', 'b').jwk], undefined, 'RS256')).toBe('several')
    expect(match([p256.jwk], undefined, 'RS256')).toBe('missing')
  })
})
