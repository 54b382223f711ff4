import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { selfSign } from '../../test/support/certificate.ts'
import { Secret } from '../engine/secret.ts'
import { basicForms, basicProof, choosesPost, postProof, proofKey, signedProof } from './client-proof.ts'

const now = Date.UTC(2027, 0, 1)

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
}

describe('a secret', () => {
  it('is form-encoded before it is joined to the id', () => {
    const { authorization } = basicProof('a:b é', new Secret('p+s%&=:'), 'encoded')
    expect(Buffer.from(authorization!.slice(6), 'base64').toString()).toBe('a%3Ab+%C3%A9:p%2Bs%25%26%3D%3A')
    expect(basicForms('a:b', new Secret('p+s'), 'encoded')).toEqual(['encoded'])
    expect(basicForms('ab', new Secret('ps'), 'raw')).toEqual(['encoded'])
    expect(basicForms('ab', new Secret('p+s'), 'raw')).toEqual(['raw', 'encoded'])
    expect(postProof('a:b', new Secret('s'))).toEqual({ members: { client_id: 'a:b', client_secret: 's' } })
  })

  it('goes in the header unless the provider says that it takes only the other form', () => {
    expect(choosesPost(undefined)).toBe(false)
    expect(choosesPost([])).toBe(false)
    expect(choosesPost(['client_secret_post', 'client_secret_basic'])).toBe(false)
    expect(choosesPost(['private_key_jwt', 'client_secret_post'])).toBe(true)
    expect(choosesPost(['private_key_jwt'])).toBe(false)
  })
})

describe('a signed proof', () => {
  it.each(Object.entries(pairs))('with a key for %s holds', async (alg, { privateKey, publicKey }) => {
    const key = proofKey({ key: pemOf(privateKey) }, {}, undefined)
    const { members } = signedProof('gw', 'https://issuer.example', key, now)
    const { payload, protectedHeader } = await jwtVerify(members['client_assertion']!, publicKey, {
      currentDate: new Date(now),
      audience: 'https://issuer.example',
      algorithms: [alg],
    })
    expect(protectedHeader).toEqual({ alg, typ: 'JWT' })
    expect(payload).toEqual({
      iss: 'gw',
      sub: 'gw',
      aud: 'https://issuer.example',
      jti: expect.any(String),
      iat: now / 1000,
      exp: now / 1000 + 60,
    })
    expect(members).toMatchObject({
      client_id: 'gw',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
  })

  it('is made anew each time', () => {
    const key = proofKey({ key: pemOf(pairs.ES256.privateKey) }, {}, undefined)
    const jti = (): unknown => {
      const token = signedProof('gw', 'x', key, now).members['client_assertion']!
      return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string }).jti
    }
    expect(jti()).not.toBe(jti())
  })

  it('uses the algorithm that the provider takes, where the key can do several', async () => {
    const pem = pemOf(pairs.RS256.privateKey)
    expect(proofKey({ key: pem }, {}, ['PS256']).alg).toBe('PS256')
    expect(proofKey({ key: pem }, {}, ['ES256', 'PS256', 'RS256']).alg).toBe('RS256')
    expect(proofKey({ key: pem }, {}, ['ES256']).alg).toBe('RS256')
    const { members } = signedProof('gw', 'x', proofKey({ key: pem }, {}, ['PS256']), now)
    const check = jwtVerify(members['client_assertion']!, pairs.RS256.publicKey, {
      currentDate: new Date(now),
      algorithms: ['PS256'],
    })
    await expect(check).resolves.toBeDefined()
    expect(proofKey({ key: pemOf(pairs.EdDSA.privateKey) }, {}, ['Ed25519']).alg).toBe('Ed25519')
  })

  it('names its key by an id or a certificate where that is configured', () => {
    const { certificate, key } = selfSign()
    const signing = proofKey({ key, certificate }, { keyId: 'k1' }, undefined)
    const header = decodeProtectedHeader(signedProof('gw', 'x', signing, now).members['client_assertion']!)
    expect(header).toMatchObject({ kid: 'k1', 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) })
  })

  it('is refused to a key that cannot sign one, in words without the key', () => {
    const x25519 = pemOf(generateKeyPairSync('x25519').privateKey)
    expect(() => proofKey({ key: x25519 }, {}, undefined)).toThrow('of no kind that signs proofs')
    expect(() => proofKey({ key: 'not a key' }, {}, undefined)).toThrow('the private key cannot be read')
  })
})
