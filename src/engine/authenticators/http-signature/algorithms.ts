/** The signature algorithms, and which key each of them takes. */
import { constants, createHmac, verify, type KeyObject } from 'node:crypto'
import { isSameMac } from '../../constant-time.ts'

export const algorithms = [
  'rsa-pss-sha512',
  'rsa-v1_5-sha256',
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'ed25519',
  'hmac-sha256',
] as const
export type SignatureAlgorithm = (typeof algorithms)[number]

/** @returns what a key of this algorithm must be, in words, when this one is not it */
export function unfit(algorithm: SignatureAlgorithm, key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  switch (algorithm) {
    case 'rsa-pss-sha512':
      if (type !== 'rsa' && type !== 'rsa-pss') return 'an RSA key'
      return isStrong(details) ? undefined : strongRsa
    case 'rsa-v1_5-sha256':
      if (type !== 'rsa') return 'an RSA key'
      return isStrong(details) ? undefined : strongRsa
    case 'ecdsa-p256-sha256':
      return details?.namedCurve === 'prime256v1' ? undefined : 'an EC key on the curve P-256'
    case 'ecdsa-p384-sha384':
      return details?.namedCurve === 'secp384r1' ? undefined : 'an EC key on the curve P-384'
    case 'ed25519':
      return type === 'ed25519' ? undefined : 'an Ed25519 key'
    case 'hmac-sha256':
      return key.type === 'secret' ? undefined : 'a secret'
  }
}

const strongRsa = 'an RSA key of at least 2048 bits'

function isStrong(details: KeyObject['asymmetricKeyDetails']): boolean {
  return (details?.modulusLength ?? 0) >= 2048
}

/**
 * The algorithm is the key's, never the message's: a verifier that lets the message choose takes a public key for a secret.
 * @see RFC 9421, section 3.3
 */
export function isSignedBy(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  base: string,
  signature: Uint8Array,
): boolean {
  const bytes = Buffer.from(base, 'ascii')
  switch (algorithm) {
    case 'rsa-pss-sha512': {
      // The clause says 64 bytes of salt; signers that leave their library's default take more, which proves no less.
      const padding = {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_AUTO,
      }
      return verify('sha512', bytes, { key, ...padding }, signature)
    }
    case 'rsa-v1_5-sha256':
      return verify('sha256', bytes, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'ecdsa-p256-sha256':
      return verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'ecdsa-p384-sha384':
      return verify('sha384', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'ed25519':
      return verify(null, bytes, key, signature)
    case 'hmac-sha256':
      return isSameMac(signature, createHmac('sha256', key).update(bytes).digest())
  }
}
