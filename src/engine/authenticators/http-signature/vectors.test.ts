/** RFC 9421, appendix B.2: every published signature, and none of them on another message. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readVectors } from '../../../../test/support/vectors.ts'
import { isSignedBy, type SignatureAlgorithm } from './algorithms.ts'
import { signatureBase, type SignedRequest } from './message.ts'
import { findSignature } from './parse.ts'

interface Vectors {
  readonly test_request: string
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly cases: readonly {
    readonly id: string
    readonly message: 'request' | 'response'
    readonly keyid: string
    readonly alg: SignatureAlgorithm
    readonly signature_base: string
    readonly signature_input: string
    readonly signature: string
  }[]
}

const vectors = readVectors('rfc/rfc9421.json') as Vectors | undefined

describe.skipIf(vectors === undefined)('the signatures of RFC 9421', () => {
  const cases = vectors?.cases ?? []
  const request = requestOf(vectors?.test_request ?? 'GET / HTTP/1.1\n\n')

  it.each(cases.filter(({ message }) => message === 'request'))('$id is rebuilt and verified', (vector) => {
    const found = find(vector.signature_input, vector.signature)
    const base = signatureBase(found.components, found.input, request)
    expect(base).toBe(vector.signature_base)
    expect(isSignedBy(vector.alg, keyOf(vector.keyid), base!, found.signature)).toBe(true)
  })

  it.each(cases)('$id holds for its own text alone', ({ alg, keyid, signature_base, signature }) => {
    const bytes = Buffer.from(/:(.*):$/.exec(signature)![1]!, 'base64')
    expect(isSignedBy(alg, keyOf(keyid), signature_base, bytes)).toBe(true)
    expect(isSignedBy(alg, keyOf(keyid), signature_base.replace('1618884473', '1618884474'), bytes)).toBe(
      false,
    )
    expect(isSignedBy(alg, keyOf(keyid), signature_base, bytes.subarray(1))).toBe(false)
  })

  it('takes no response for a request', () => {
    const response = cases.find(({ message }) => message === 'response')!
    const found = findSignature([response.signature_input], [response.signature], {
      isKnown: () => true,
      tag: undefined,
    })
    expect(found.outcome).toBe('malformed')
  })

  function keyOf(id: string): KeyObject {
    const jwk = vectors!.keys[id]!
    return jwk['kty'] === 'oct'
      ? createSecretKey(Buffer.from(jwk['k_base64']!, 'base64'))
      : createPublicKey({ key: jwk, format: 'jwk' })
  }
})

function find(
  input: string,
  signature: string,
): Extract<ReturnType<typeof findSignature>, { outcome: 'found' }>['signature'] {
  const found = findSignature([input], [signature], { isKnown: () => true, tag: undefined })
  if (found.outcome !== 'found') throw new Error(`not found: ${found.outcome}`)
  return found.signature
}

function requestOf(text: string): SignedRequest {
  const [start = '', ...lines] = text.split('\n\n')[0]!.split('\n')
  const [method = '', target = ''] = start.split(' ')
  const fields = lines.map((line) => line.split(/: (.*)/s) as [string, string])
  return {
    method,
    target,
    publicOrigin: 'https://example.com',
    values: (name) => fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value),
  }
}
