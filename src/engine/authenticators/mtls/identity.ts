/** Who a certificate's caller is, and what is known of the certificate beside that. */
import type { Certificate } from '../../certificates/certificate.ts'
import type { GeneralName } from '../../certificates/general-names.ts'
import { oids } from '../../certificates/oids.ts'
import { parseSpiffeId } from '../../certificates/spiffe-id.ts'
import type { CredentialFacts, CredentialPlace, Identity } from '../../identity.ts'
import type { Verified } from '../../outcome.ts'
import { mtlsIssuer } from './settings.ts'

export const certificatePlace: CredentialPlace = Object.freeze({ kind: 'certificate', name: 'client' })

const none: readonly string[] = Object.freeze([])
const amr: readonly string[] = Object.freeze(['mtls'])
const organization = '2.5.4.10'
const organizationalUnit = '2.5.4.11'

export interface CertificateFacts {
  readonly certificate: Certificate
  readonly subject: string
  /** The authenticator's name. */
  readonly method: string
  /** Milliseconds since the epoch: the earliest end in the chain. */
  readonly expiresAt: number
}

/** Makes the frozen answer that all requests of one connection share. */
export function verifiedByCertificate({
  certificate,
  subject,
  method,
  expiresAt,
}: CertificateFacts): Verified {
  const identity: Identity = {
    issuer: mtlsIssuer,
    subject,
    scopes: none,
    roles: none,
    claims: claimsOf(certificate),
    method,
    amr,
  }
  const credential: CredentialFacts = {
    kind: 'mtls',
    id: certificate.fingerprint,
    expiresAt,
    issuedAt: certificate.notBefore,
    place: certificatePlace,
  }
  return Object.freeze({
    outcome: 'verified',
    identity: Object.freeze(identity),
    credential: Object.freeze(credential),
  })
}

/** What conditions may look at: `certificate.ou`, `certificate.dns`, `spiffe.trustDomain` and so on. */
function claimsOf(certificate: Certificate): Readonly<Record<string, unknown>> {
  const { subject, names = [], fingerprint, serial } = certificate
  const attribute = (type: string): readonly string[] =>
    subject.attributes.filter((each) => each.type === type && each.isText).map(({ value }) => value)
  const named = (kind: GeneralName['kind']): readonly string[] =>
    names.flatMap((each) => (each.kind === kind && 'value' in each ? [each.value] : []))
  const uris = named('uri')
  const id = uris.length === 1 ? parseSpiffeId(uris[0]!) : undefined
  const lists = {
    cn: attribute(oids.commonName),
    o: attribute(organization),
    ou: attribute(organizationalUnit),
    uri: uris,
    dns: named('dns'),
    email: named('email'),
  }
  const filled = Object.entries(lists).filter(([, list]) => list.length > 0)
  return Object.freeze({
    certificate: Object.freeze({ fingerprint, serial, ...Object.fromEntries(filled) }),
    ...(id === undefined ? {} : { spiffe: Object.freeze({ ...id }) }),
  })
}
