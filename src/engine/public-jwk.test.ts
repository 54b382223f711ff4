import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { importPublicJwk, readPublicJwk, thumbprintOf } from './public-jwk.ts'

type Json = Readonly<Record<string, unknown>>

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = ec.publicKey.export({ format: 'jwk' }) as Json

describe('a public key written as a JWK', () => {
  it.each([
    ['P-256', ec.publicKey],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
  ])('is read, imported and named as another implementation names it: %s', async (_name, key) => {
    const written = key.export({ format: 'jwk' })
    const read = readPublicJwk(written as Json)!
    expect(thumbprintOf(read)).toBe(await calculateJwkThumbprint(written as JWK))
    expect(importPublicJwk(read)?.equals(key)).toBe(true)
  })

  it('keeps its name whatever stands beside the key and in which order', () => {
    const { kty, crv, x, y } = jwk
    const read = readPublicJwk({ y, use: 'sig', key_ops: ['verify'], kid: 'a', x, alg: 'ES256', crv, kty })!
    expect(thumbprintOf(read)).toBe(thumbprintOf(readPublicJwk(jwk)!))
  })

  it.each<[string, Json]>([
    ['a private key', ec.privateKey.export({ format: 'jwk' }) as Json],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a public key with a symmetric member', { ...jwk, k: 'c2VjcmV0' }],
    ['a key for encryption', { ...jwk, use: 'enc' }],
    ['a key for other operations', { ...jwk, key_ops: ['sign'] }],
    ['an unknown curve', { ...jwk, crv: 'secp256k1' }],
    ['a curve of another kind', { ...jwk, crv: 'Ed25519' }],
    ['no curve', { ...jwk, crv: undefined }],
    ['an inherited curve', Object.setPrototypeOf({ kty: 'EC', x: jwk['x'], y: jwk['y'] }, { crv: 'P-256' })],
    ['no y', { ...jwk, y: '' }],
    ['a number for x', { ...jwk, x: 1 }],
    ['an unknown kind', { ...jwk, kty: 'AKP' }],
    ['X25519', generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }) as Json],
  ])('is not taken from %s', (_name, written) => {
    expect(readPublicJwk(written)).toBeUndefined()
  })

  it('is not imported when it is no point on its curve, too small, or has an exponent that lets anybody sign', () => {
    const off = { ...jwk, y: Buffer.alloc(32, 1).toString('base64url') }
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const large = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
    for (const bad of [off, small, { ...large, e: 'AQ' }, { ...large, e: 'Ag' }]) {
      const read = readPublicJwk(bad as Json)
      expect(read === undefined ? undefined : importPublicJwk(read)).toBeUndefined()
    }
  })
})

const vectors = join(import.meta.dirname, '../../../shared/vectors/rfc/rfc-vectors.json')

describe.skipIf(!existsSync(vectors))('published thumbprints', () => {
  const all = (): readonly { id: string; kind: string; input: Json; expected: string }[] =>
    JSON.parse(readFileSync(vectors, 'utf8')).vectors

  it('come out as printed (RFC 7638, RFC 8037, RFC 9449)', () => {
    const named = all().filter(({ kind }) => kind === 'jwk thumbprint')
    expect(named).toHaveLength(3)
    for (const { input, expected } of named) expect(thumbprintOf(readPublicJwk(input)!)).toBe(expected)
  })
})

it('is hashed as UTF-8 JSON without space', () => {
  const read = readPublicJwk(jwk)!
  const text = `{"crv":"P-256","kty":"EC","x":"${String(jwk['x'])}","y":"${String(jwk['y'])}"}`
  expect(thumbprintOf(read)).toBe(createHash('sha256').update(text).digest('base64url'))
  expect(createPublicKey({ key: jwk, format: 'jwk' }).equals(ec.publicKey)).toBe(true)
})
