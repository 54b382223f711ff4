/** A client certificate as it came with a request, before anyone says that it is good. */
import { createHash } from 'node:crypto'
import { parseCertificate, type Certificate } from './certificate.ts'
import { certificateFault, type CertificateFault } from './fault.ts'

export interface ClientCertificate {
  /** The leaf, DER. */
  readonly der: Buffer
  /** What the client sent with it (intermediates, in any order), DER. */
  readonly chain: readonly Buffer[]
  /** SHA-256 of `der`, lower-case hex. */
  readonly fingerprint: string
  /** The same, base64url: RFC 8705 section 3.1. */
  readonly thumbprint: string
  /** `connection`: possession was proven in the handshake. `forwarded`: a trusted proxy says so. */
  readonly source: 'connection' | 'forwarded'
  /** Of a forwarded one: the names of the authenticators that believe whoever forwarded it. */
  readonly acceptedBy?: ReadonlySet<string>
  /** Of a forwarded one that could be read: the header that it came in. */
  readonly forwardedIn?: 'client-cert' | 'xfcc'
  /**
   * Why it does not count as proof of possession, judged by the clock, the authorities and the revocation lists of now
   * (of the listener, or of what accepts forwarded ones); undefined when it does. Where no authorities are named,
   * possession proven in the handshake suffices (RFC 8705 section 2.2).
   */
  fault(now: number): string | undefined
  /** The same with its reason, where the one who made the certificate knows it. */
  refusal?(now: number): CertificateFault | undefined
}

export interface ClientCertificateFacts {
  readonly der: Buffer
  readonly chain: readonly Buffer[]
  readonly source: ClientCertificate['source']
  readonly acceptedBy?: ReadonlySet<string>
  readonly forwardedIn?: 'client-cert' | 'xfcc'
  /** Judges it against the authorities of whoever took it. */
  readonly refusal: (certificate: ClientCertificate, now: number) => CertificateFault | undefined
}

export function createClientCertificate(facts: ClientCertificateFacts): ClientCertificate {
  const digest = createHash('sha256').update(facts.der).digest()
  const certificate: ClientCertificate = Object.freeze({
    der: facts.der,
    chain: facts.chain,
    fingerprint: digest.toString('hex'),
    thumbprint: digest.toString('base64url'),
    source: facts.source,
    ...(facts.acceptedBy === undefined ? {} : { acceptedBy: facts.acceptedBy }),
    ...(facts.forwardedIn === undefined ? {} : { forwardedIn: facts.forwardedIn }),
    refusal: (now: number) => facts.refusal(certificate, now),
    fault(now: number) {
      const fault = facts.refusal(certificate, now)
      return fault === undefined ? undefined : `${fault.reason}: ${fault.detail}`
    },
  })
  return certificate
}

/** What a certificate and its companions say. */
export interface Bundle {
  readonly leaf: Certificate
  /** Those that can be read: one that cannot helps nobody, and harms nobody. */
  readonly sent: readonly Certificate[]
}

/** More companions than any chain has. */
const mostSent = 16
/** Bytes of all of them together. */
const largestBundle = 128 * 1024

const bundles = new WeakMap<ClientCertificate, Bundle | CertificateFault>()

/** Parsed once for each connection, on demand. */
export function bundleOf(certificate: ClientCertificate): Bundle | CertificateFault {
  const known = bundles.get(certificate)
  if (known !== undefined) return known
  const bundle = readBundle(certificate)
  bundles.set(certificate, bundle)
  return bundle
}

function readBundle({ der, chain }: ClientCertificate): Bundle | CertificateFault {
  const bytes = chain.reduce((sum, each) => sum + each.length, der.length)
  if (chain.length > mostSent || bytes > largestBundle)
    return certificateFault('certificate_chain', 'too many certificates were sent along')
  const leaf = parseCertificate(der)
  if (typeof leaf === 'string') return certificateFault('certificate_malformed', leaf)
  const sent = chain.map(parseCertificate).filter((each) => typeof each !== 'string')
  return { leaf, sent }
}
