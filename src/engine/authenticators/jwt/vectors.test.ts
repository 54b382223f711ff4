/** Published vectors: what the RFCs and Project Wycheproof say must and must not verify. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readVectors } from '../../../../test/support/vectors.ts'
import type { HmacAlgorithmName, PublicKeyAlgorithmName } from './algorithms.ts'
import { holdsHmac, holdsSignature } from './signature.ts'

interface WycheproofFile {
  readonly testGroups: readonly {
    readonly publicKeyPem?: string
    readonly keySize?: number
    readonly tagSize?: number
    readonly tests: readonly WycheproofTest[]
  }[]
}

interface WycheproofTest {
  readonly tcId: number
  readonly comment: string
  readonly msg: string
  readonly sig?: string
  readonly key?: string
  readonly tag?: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface RfcVectors {
  readonly vectors: readonly {
    readonly id: string
    readonly kind: string
    readonly alg?: string
    readonly key?: Readonly<Record<string, string>>
    readonly token?: string
    readonly expected: unknown
  }[]
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

const suites = (
  [
    ['rsa_signature_2048_sha256_test', 'RS256', 259],
    ['rsa_pss_2048_sha256_mgf1_32_test', 'PS256', 108],
    ['ecdsa_secp256r1_sha256_p1363_test', 'ES256', 262],
    ['ecdsa_secp384r1_sha384_p1363_test', 'ES384', 280],
    ['ecdsa_secp521r1_sha512_p1363_test', 'ES512', 318],
    ['ed25519_test', 'Ed25519', 151],
  ] satisfies [string, PublicKeyAlgorithmName, number][]
).map(([name, algorithm, count]) => ({ name, algorithm, count, suite: readWycheproof(name) }))
const hmac = readWycheproof('hmac_sha256_test')
const rfc = readVectors('rfc/rfc-vectors.json') as RfcVectors | undefined
const signedExamples = rfc?.vectors.filter(({ kind, alg }) => kind === 'jws' && alg !== 'none') ?? []

describe.skipIf(hmac === undefined)('signature vectors of Project Wycheproof', () => {
  it.each(suites)('$name', ({ suite, algorithm, count }) => {
    const verdicts = (suite?.testGroups ?? []).flatMap(({ publicKeyPem = '', tests }) => {
      const key = createPublicKey(publicKeyPem)
      return tests.map((test) => ({
        test,
        holds: holdsSignature(algorithm, key, bytes(test.msg), bytes(test.sig ?? '')),
      }))
    })
    // `acceptable` is for lenient verifiers; both answers are sound.
    const wrong = verdicts
      .filter(({ test }) => test.result !== 'acceptable')
      .filter(({ test, holds }) => holds !== (test.result === 'valid'))
      .map(({ test }) => `${test.tcId} ${test.comment}`)
    expect(wrong).toEqual([])
    expect(verdicts).toHaveLength(count)
  })

  it('hmac_sha256_test: whole tags only', () => {
    const wrong = (hmac?.testGroups ?? []).flatMap(({ tagSize, tests }) =>
      tests
        .filter(({ key = '', msg, tag = '', result }) => {
          const holds = holdsHmac('HS256', createSecretKey(bytes(key)), bytes(msg), bytes(tag))
          return holds !== (result === 'valid' && tagSize === 256)
        })
        .map(({ tcId, comment }) => `${tcId} ${comment}`),
    )
    expect(wrong).toEqual([])
  })
})

describe.skipIf(rfc === undefined)('signed examples of the RFCs', () => {
  it('are there', () => {
    expect(signedExamples.length).toBeGreaterThanOrEqual(6)
  })

  it.each(signedExamples.map((each) => [each.id, each] as const))(
    '%s verifies, and no altered copy does',
    (_id, { alg = '', key = {}, token = '' }) => {
      const at = token.lastIndexOf('.')
      const signed = Buffer.from(token.slice(0, at))
      const signature = Buffer.from(token.slice(at + 1), 'base64url')
      const holds = (data: Buffer, over: Buffer): boolean =>
        alg.startsWith('HS')
          ? holdsHmac(alg as HmacAlgorithmName, secretOf(key['k'] ?? ''), data, over)
          : holdsSignature(alg as PublicKeyAlgorithmName, publicOf(key), data, over)
      expect(holds(signed, signature)).toBe(true)
      expect(holds(Buffer.concat([signed, Buffer.from('A')]), signature)).toBe(false)
      expect(holds(signed, Buffer.concat([signature, Buffer.from([0])]))).toBe(false)
      const altered = Buffer.from(signature)
      altered[0] = (altered[0] ?? 0) ^ 1
      expect(holds(signed, altered)).toBe(false)
    },
  )
})

function readWycheproof(name: string): WycheproofFile | undefined {
  return readVectors(`wycheproof/${name}.json`) as WycheproofFile | undefined
}

function secretOf(k: string): KeyObject {
  return createSecretKey(Buffer.from(k, 'base64url'))
}

function publicOf(key: Readonly<Record<string, string>>): KeyObject {
  return createPublicKey({ key, format: 'jwk' })
}
