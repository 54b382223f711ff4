import { constants, generateKeyPairSync, randomUUID, sign } from 'node:crypto'

type Json = Record<string, unknown>

export interface SigningKey {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256'
  readonly jwk: Json
  /** A JWS of exactly these, whatever the header says. */
  sign(header: Json, payload: Json): string
}

export function signingKey(alg: 'RS256' | 'ES256'): SigningKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  return {
    kid,
    alg,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    sign(header, payload) {
      const input = `${encode(header)}.${encode(payload)}`
      const how =
        alg === 'ES256'
          ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
          : { key: privateKey, padding: constants.RSA_PKCS1_PADDING }
      return `${input}.${sign('sha256', Buffer.from(input), how).toString('base64url')}`
    },
  }
}

function encode(part: Json): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
