import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSigner, type Json } from '../../../test/support/tokens.ts'
import { judgeKeys } from './keys.ts'

const rsa = createSigner('RS256', 'rsa')
const elliptic = createSigner('ES256', 'elliptic')
const defaults = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']

function judge(keys: unknown, algorithms: readonly string[] = defaults): readonly string[] {
  const needs = { use: 'sig', verifiers: [{ by: 'authenticator "corp-token"', algorithms }] } as const
  return judgeKeys('corp', { keys }, needs).map(
    ({ id, severity, message }) => `${severity} ${id}: ${message}`,
  )
}

describe('a published key set', () => {
  it('with two good keys has nothing to be said about it', () => {
    expect(judge([rsa.jwk, elliptic.jwk, { ...createSigner('RS256', 'e').jwk, use: 'enc' }])).toEqual([])
  })

  it('with one key is told to publish the next one ahead', () => {
    expect(judge([rsa.jwk])).toEqual([expect.stringMatching(/^note provider-few-keys/)])
  })

  it('must have a key for the configured algorithms', () => {
    expect(judge([rsa.jwk, { ...rsa.jwk, kid: 'second' }], ['ES256'])).toEqual([
      expect.stringMatching(/^error provider-keys: .*"corp-token" \(ES256\)/),
    ])
  })

  it.each([undefined, 'keys', {}])('is none when its list is %j', (keys) => {
    expect(judge(keys)).toEqual([expect.stringMatching(/^error provider-keys/)])
  })

  it('names short RSA keys and exponents that let everybody sign', () => {
    const short = createSigner('RS256', 'short', 1024)
    expect(judge([rsa.jwk, elliptic.jwk, short.jwk])).toEqual([
      expect.stringMatching(/^warning provider-key-weak: .*"short" is RSA of 1024 bits/),
    ])
    expect(judge([rsa.jwk, elliptic.jwk, { ...rsa.jwk, kid: 'one', e: 'AQ' }])).toEqual([
      expect.stringMatching(/^warning provider-key-weak: .*"one".*exponent/),
    ])
  })

  it('must not publish secrets', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const leaked: Json = { ...privateKey.export({ format: 'jwk' }), kid: 'leaked' }
    const findings = judge([rsa.jwk, elliptic.jwk, leaked, { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' }])
    expect(findings).toEqual([
      expect.stringMatching(/^error provider-key-private: .*"leaked"/),
      expect.stringMatching(/^error provider-key-private: .*"shared"/),
    ])
    expect(findings.join()).not.toContain('c2VjcmV0')
  })

  it('must tell its keys apart', () => {
    const { kid: _kid, ...nameless } = elliptic.jwk
    expect(judge([rsa.jwk, nameless])).toEqual([
      expect.stringMatching(/^warning provider-key-ids: .*1 of its 2 keys/),
    ])
    expect(judge([rsa.jwk, { ...elliptic.jwk, kid: 'rsa' }])).toEqual([
      expect.stringMatching(/^warning provider-key-ids: .*2 keys have the `kid` "rsa"/),
    ])
  })

  it('may have keys that the gateway has no use for, and they are named', () => {
    const strange = [
      { ...elliptic.jwk, kid: 'k1', crv: 'secp256k1' },
      { ...elliptic.jwk, kid: 'k2', use: 'tls' },
      { ...elliptic.jwk, kid: 'k3', alg: 'ES256K' },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', kid: 'k4' },
      'no key at all',
    ]
    const findings = judge([rsa.jwk, elliptic.jwk, ...strange])
    expect(findings).toHaveLength(5)
    for (const finding of findings) expect(finding).toMatch(/^note provider-key-use/)
  })

  it('is quoted in one bounded line', () => {
    const kid = `evil\n::error::"x" ${'a'.repeat(500)}`
    const [finding = ''] = judge([rsa.jwk, elliptic.jwk, { ...elliptic.jwk, kid, use: 'tls' }])
    expect(finding).not.toContain('\n')
    expect(finding.length).toBeLessThan(400)
  })
})
