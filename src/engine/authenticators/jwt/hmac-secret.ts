import { createPublicKey, createSecretKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { JwtSettings } from './settings.ts'

const leastBytes = 32

/**
 * Decodes the shared secret of HMAC tokens.
 * @throws TypeError when it is missing, short, not of its encoding, or a public key: a verifier that takes a published
 * key as a shared secret lets everybody sign
 */
export function hmacKey(settings: JwtSettings): KeyObject {
  const fault = hmacSecretFault(settings)
  if (fault !== undefined) throw new TypeError(`authenticator ${settings.name}: ${fault}`)
  return createSecretKey(decode(settings))
}

/** @returns what is wrong with the secret, in words that do not repeat it; undefined when nothing is */
export function hmacSecretFault(settings: JwtSettings): string | undefined {
  const text = settings.secret?.reveal() ?? ''
  if (text === '') return '`secret` is missing, which HMAC algorithms need'
  const bytes = decode(settings)
  if (isPublicKey(text) || isPublicKey(bytes.toString('latin1')) || isPublicDer(bytes)) {
    return '`secret` is a public key or certificate; whoever can read it could sign'
  }
  if (!isWhole(text, bytes, settings.secretEncoding)) return `\`secret\` is not ${settings.secretEncoding}`
  return bytes.length < leastBytes ? `\`secret\` has fewer than ${leastBytes} bytes` : undefined
}

function decode({ secret, secretEncoding }: JwtSettings): Buffer {
  return Buffer.from(secret?.reveal() ?? '', secretEncoding)
}

function isPublicKey(text: string): boolean {
  return /-----BEGIN |"kty"\s*:|^(?:ssh-|ecdsa-sha2-)/.test(text)
}

function isPublicDer(bytes: Buffer): boolean {
  return (
    succeeds(() => createPublicKey({ key: bytes, format: 'der', type: 'spki' })) ||
    succeeds(() => createPublicKey({ key: bytes, format: 'der', type: 'pkcs1' })) ||
    succeeds(() => new X509Certificate(bytes))
  )
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}

/** Node's decoders stop at what they do not know, which would leave a secret shorter than it looks. */
function isWhole(text: string, bytes: Buffer, encoding: JwtSettings['secretEncoding']): boolean {
  if (encoding === 'utf8') return true
  const written = text.replace(/=+$/, '')
  return (
    bytes.toString(encoding).replace(/=+$/, '') === (encoding === 'hex' ? written.toLowerCase() : written)
  )
}
