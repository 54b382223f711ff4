/** What is told of a token that was proven, by its signature or by its provider: for revocation, binding and the record. */
import type { RevocationCheck, RevocationFacts } from '../../ports/revocations.ts'
import { confirmationOf } from '../bindings/confirmation.ts'
import type { CredentialFacts, CredentialPlace } from '../identity.ts'
import type { Verified } from '../outcome.ts'
import type { Profile } from '../providers/profile.ts'
import type { Mapped } from './jwt/identity.ts'
import { deadline, type TimeRules, type Times } from './jwt/times.ts'

/** @param kind the authenticator's type */
export function tokenCredential(
  kind: string,
  { identity, tokenId }: Mapped,
  times: Times,
  place: CredentialPlace,
  rules: TimeRules,
): CredentialFacts {
  const confirmation = confirmationOf(identity.claims)
  return Object.freeze({
    kind,
    ...(tokenId === undefined ? {} : { id: tokenId }),
    expiresAt: deadline(times, rules),
    // A revocation's instant is compared with the provider's clock at its slowest.
    ...(times.issued === undefined ? {} : { issuedAt: times.issued - rules.clockSkew }),
    place,
    ...(confirmation === undefined ? {} : { confirmation }),
  })
}

/** What a revocation may name; one for each published form of the issuer. */
export function revocableFacts(
  { identity, tokenId, session }: Mapped,
  { issuedAt, confirmation }: CredentialFacts,
  profile: Profile,
): readonly RevocationFacts[] {
  const thumbprint = confirmation?.x5tS256
  // Revocations name a certificate as tools print it.
  const certificate =
    thumbprint === undefined ? undefined : Buffer.from(thumbprint, 'base64url').toString('hex')
  return profile.sameIssuers(identity.issuer).map((issuer): RevocationFacts => ({
    issuer,
    subject: identity.subject,
    ...(identity.client === undefined ? {} : { client: identity.client }),
    ...(tokenId === undefined ? {} : { jti: tokenId }),
    ...(session === undefined ? {} : { session }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(issuedAt === undefined ? {} : { issuedAt }),
  }))
}

export function isRevoked(
  { revocable }: { readonly revocable: readonly RevocationFacts[] },
  revocations: RevocationCheck,
): boolean {
  for (const facts of revocable) {
    if (revocations.isRevoked(facts)) return true
  }
  return false
}

/** The same token may come by another place than the one it was verified from. */
export function cameBy(place: CredentialPlace, verified: Verified): Verified {
  if (verified.credential.place === place) return verified
  return { ...verified, credential: { ...verified.credential, place } }
}
