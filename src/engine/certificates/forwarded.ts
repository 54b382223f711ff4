/** Certificates that a proxy hands over in fields of their own. @see RFC 9440 */
import { decodeBase64 } from './pem.ts'

/** What a proxy said that the client has shown. */
export interface ForwardedCertificate {
  readonly der: Buffer
  readonly chain: readonly Buffer[]
}

const longestField = 256 * 1024
const mostInChain = 16

/**
 * Reads `Client-Cert` (a byte sequence) and `Client-Cert-Chain` (a list of them), without parameters: RFC 9440 defines none.
 *
 * @returns in words what is wrong with them, if anything is
 */
export function readClientCert(
  leaves: readonly string[],
  chains: readonly string[],
): ForwardedCertificate | string {
  const [leaf] = leaves
  if (leaf === undefined) return 'a chain without a certificate'
  if (leaves.length > 1) return 'two Client-Cert fields'
  const der = byteSequence(leaf)
  if (der === undefined) return 'a Client-Cert that is no byte sequence'
  const list = chains.join(',')
  if (list.length > longestField) return 'a Client-Cert-Chain that is too long'
  const members = list.trim() === '' ? [] : list.split(',')
  if (members.length > mostInChain) return 'a Client-Cert-Chain that is too long'
  const chain: Buffer[] = []
  for (const member of members) {
    const each = byteSequence(member)
    if (each === undefined) return 'a Client-Cert-Chain that is no list of byte sequences'
    chain.push(each)
  }
  return { der, chain }
}

/** @see RFC 8941 section 3.3.5; base64 exactly as an encoder writes it */
function byteSequence(field: string): Buffer | undefined {
  const text = field.replace(/^[ \t]+|[ \t]+$/g, '')
  if (text.length < 2 || text.length > longestField || !text.startsWith(':') || !text.endsWith(':'))
    return undefined
  return decodeBase64(text.slice(1, -1))
}
