/**
 * Whether a report is GitHub's own: an ECDSA signature (P-256, SHA-256) over the body exactly as it came. The public keys are
 * the configured ones; nothing is fetched, so that nobody who can stand between us and a key server can speak for GitHub.
 *
 * @see https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto'

export interface ReportKey {
  /** What GitHub calls `key_identifier`. */
  readonly id: string
  readonly key: KeyObject
}

/** The two fields that come with a report; undefined where one is absent or comes twice. */
export interface ReportSignature {
  readonly id: string | undefined
  readonly signature: string | undefined
}

export type ReportVerdict = 'good' | 'unsigned' | 'unknown_key' | 'forged'

/** DER of two 32-byte integers takes at most 72 bytes. */
const longestSignature = 104

export function judgeReport(
  body: Uint8Array,
  { id, signature }: ReportSignature,
  keys: readonly ReportKey[],
): ReportVerdict {
  if (id === undefined || signature === undefined || id === '' || signature === '') return 'unsigned'
  const found = keys.find((each) => each.id === id)
  if (found === undefined) return 'unknown_key'
  if (signature.length > longestSignature || !/^[A-Za-z0-9+/]+={0,2}$/.test(signature)) return 'forged'
  const der = Buffer.from(signature, 'base64')
  try {
    return verify('sha256', body, { key: found.key, dsaEncoding: 'der' }, der) ? 'good' : 'forged'
  } catch {
    // What is no DER at all.
    return 'forged'
  }
}

/** @returns the key in a PEM text, or undefined unless it is a public one on P-256 */
export function readReportKey(pem: string): KeyObject | undefined {
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return undefined
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
  } catch {
    return undefined
  }
}
