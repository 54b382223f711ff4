import { constants, createHmac, verify, type KeyObject } from 'node:crypto'
import { isSameMac } from '../../constant-time.ts'
import {
  hmacAlgorithms,
  publicKeyAlgorithms,
  type HmacAlgorithmName,
  type PublicKeyAlgorithmName,
} from './algorithms.ts'

/**
 * Checks a signature with a key that is known to fit. Synchronous: for one token it costs less than handing it to a
 * thread and back.
 * @see RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1
 */
export function holdsSignature(
  name: PublicKeyAlgorithmName,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const { hash, padding, length } = publicKeyAlgorithms[name]
  // R and S side by side, each as long as the curve's order: a DER signature or a padded one is another spelling.
  if (length !== undefined && signature.length !== length) return false
  try {
    return verify(
      hash,
      signed,
      {
        key,
        dsaEncoding: 'ieee-p1363',
        ...(padding === undefined ? {} : { padding }),
        ...(padding === constants.RSA_PKCS1_PSS_PADDING
          ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
          : {}),
      },
      signature,
    )
  } catch {
    // OpenSSL reports some malformed signatures as errors.
    return false
  }
}

/** @see RFC 7518 section 3.2 */
export function holdsHmac(
  name: HmacAlgorithmName,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const expected = createHmac(hmacAlgorithms[name], key).update(signed).digest()
  return isSameMac(signature, expected)
}
