/** The keys of callers, as a configuration writes them. */
import { createHash, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { unfit, type SignatureAlgorithm } from './algorithms.ts'

const leastSecretBytes = 32

/**
 * @param text PEM of a public key or certificate, or the shared secret
 * @throws TypeError with what is wrong, in words that do not repeat it
 */
export function importKey(algorithm: SignatureAlgorithm, text: string): KeyObject {
  const fault = keyFault(algorithm, text)
  if (fault !== undefined) throw new TypeError(fault)
  return algorithm === 'hmac-sha256' ? secretOf(text) : createPublicKey(text)
}

/** @returns what is wrong with the key; undefined when nothing is */
export function keyFault(algorithm: SignatureAlgorithm, text: string): string | undefined {
  if (algorithm === 'hmac-sha256') {
    if (looksPublic(text)) return 'is a key or certificate in PEM or JWK form; whoever can read it could sign'
    const bytes = Buffer.byteLength(text, 'utf8')
    return bytes < leastSecretBytes ? `has fewer than ${leastSecretBytes} bytes` : undefined
  }
  // Node would take the public half. But a private key in this file is in one place too many.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return 'is a private key; only the caller should have it, and the gateway needs the public one'
  }
  if (!text.includes('-----BEGIN ')) return 'is not a public key in PEM form'
  let key: KeyObject
  try {
    key = createPublicKey(text)
  } catch {
    return 'cannot be read as a public key in PEM form'
  }
  const wanted = unfit(algorithm, key)
  return wanted === undefined ? undefined : `does not fit ${algorithm}, which needs ${wanted}`
}

/** Names the key itself, whatever it is called: the same nonce under two names of one key is the same nonce. */
export function fingerprintOf(key: KeyObject): string {
  const bytes = key.type === 'secret' ? key.export() : key.export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(bytes).digest('base64url')
}

function secretOf(text: string): KeyObject {
  return createSecretKey(Buffer.from(text, 'utf8'))
}

function looksPublic(text: string): boolean {
  return /-----BEGIN |"kty"\s*:|^(?:ssh-|ecdsa-sha2-)/.test(text)
}
