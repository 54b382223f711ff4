import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { algorithms } from './algorithms.ts'
import { fingerprintOf, importKey, keyFault } from './keys.ts'

const spki = { type: 'spki', format: 'pem' } as const
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keys = {
  'rsa-pss-sha512': rsa.publicKey.export(spki),
  'rsa-v1_5-sha256': rsa.publicKey.export(spki),
  'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export(spki),
  'ecdsa-p384-sha384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export(spki),
  ed25519: generateKeyPairSync('ed25519').publicKey.export(spki),
  'hmac-sha256': 'a shared secret of thirty-two bytes',
} as const

describe('a key', () => {
  it.each(algorithms)('for %s is taken by it, and by no other kind', (algorithm) => {
    expect(keyFault(algorithm, keys[algorithm])).toBeUndefined()
    expect(fingerprintOf(importKey(algorithm, keys[algorithm]))).toHaveLength(43)
    for (const other of algorithms) {
      const isSame = keys[other] === keys[algorithm]
      expect(keyFault(algorithm, keys[other]) === undefined).toBe(isSame)
    }
  })

  it('is refused when it is weak', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export(spki)
    expect(keyFault('rsa-pss-sha512', weak)).toContain('2048')
    expect(keyFault('hmac-sha256', 'short')).toContain('32 bytes')
  })

  it('is refused when it is a private one, which only its owner should have', () => {
    const whole = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })
    expect(keyFault('rsa-pss-sha512', whole)).toContain('private')
    expect(() => importKey('rsa-pss-sha512', whole)).toThrow(TypeError)
  })

  it('is refused when it is no key at all', () => {
    expect(keyFault('ed25519', 'text')).toContain('PEM')
    expect(keyFault('ed25519', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')).toContain(
      'read',
    )
  })

  it('for an algorithm of one padding is not taken for the other', () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export(spki)
    expect(keyFault('rsa-pss-sha512', pss)).toBeUndefined()
    expect(keyFault('rsa-v1_5-sha256', pss)).toBeDefined()
  })
})
