import { parseJsonObject } from '../authenticators/jwt/strict-json.ts'
import { decodeBase64, readPem } from './pem.ts'

/**
 * What an authorities file holds: PEM blocks, one certificate as DER, or a SPIFFE trust bundle.
 * @returns the certificates as DER, or in words why the file cannot be read
 */
export function readAuthorityFile(content: Buffer): readonly Buffer[] | string {
  return content[0] === 0x7b ? readSpiffeBundle(content) : readPem(content, 'CERTIFICATE')
}

/**
 * The authorities of a SPIFFE trust bundle: each key for X.509-SVIDs holds one certificate.
 * @returns the certificates as DER, or in words why there are none
 * @see SPIFFE Trust Domain and Bundle section 4, X509-SVID section 6
 */
function readSpiffeBundle(content: Buffer): readonly Buffer[] | string {
  const keys = parseJsonObject(content)?.['keys']
  if (!Array.isArray(keys)) return 'it is JSON, but no trust bundle'
  const authorities = (keys as unknown[]).filter((key) => memberOf(key, 'use') === 'x509-svid')
  if (authorities.length === 0) return 'the trust bundle has no authority for X.509-SVIDs'
  const ders: Buffer[] = []
  for (const key of authorities) {
    const chain = memberOf(key, 'x5c')
    const [only, ...more]: unknown[] = Array.isArray(chain) ? chain : []
    const der = typeof only === 'string' && more.length === 0 ? decodeBase64(only) : undefined
    if (der === undefined) return 'an authority of the trust bundle is not exactly one certificate'
    ders.push(der)
  }
  return ders
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
