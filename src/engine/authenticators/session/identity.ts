/** Who signed in: the ID token's claims and the token answer's scopes become an identity and the facts of a credential. */
import type { RevocationFacts } from '../../../ports/revocations.ts'
import type { SessionRecord } from '../../../ports/sessions.ts'
import type { CredentialPlace, Identity } from '../../identity.ts'
import type { Rejected, Verified } from '../../outcome.ts'
import type { Profile } from '../../providers/profile.ts'
import { keepAccessToken } from '../../sessions/access-token.ts'
import type { SessionContent } from '../../sessions/content.ts'
import { mapIdentity } from '../jwt/identity.ts'

/** @returns the identity of a login, or what in its claims keeps one from being made */
export function identityOf(
  { claims, scopes, client }: Pick<SessionContent, 'claims' | 'scopes' | 'client'>,
  profile: Profile,
  method: string,
): Identity | Rejected {
  const mapped = mapIdentity(claims, profile, method)
  if ('outcome' in mapped) return mapped
  return Object.freeze({
    ...mapped.identity,
    client,
    scopes: Object.freeze([...scopes]),
    amr: Object.freeze(['session']),
  })
}

export function verifiedBy(
  record: SessionRecord,
  content: SessionContent,
  identity: Identity,
  place: CredentialPlace,
): Verified {
  const credential = Object.freeze({
    kind: 'session',
    id: record.id,
    expiresAt: record.expiresAt,
    issuedAt: record.createdAt,
    place,
    session: record.sid ?? record.id,
    ...(content.steppedUpFor === undefined ? {} : { steppedUpFor: content.steppedUpFor }),
  })
  keepAccessToken(credential, content.accessToken)
  return Object.freeze({ outcome: 'verified', identity, credential })
}

/** What a revocation may name: the person, the client, the provider's session under each form of its issuer, and ours by its name. */
export function revocableBy(
  { id, sid, createdAt }: Pick<SessionRecord, 'id' | 'sid' | 'createdAt'>,
  { issuer, subject, client }: Identity,
  profile: Profile,
): readonly RevocationFacts[] {
  const named = profile.sameIssuers(issuer).flatMap((each): RevocationFacts[] => {
    const facts = { issuer: each, subject, ...(client === undefined ? {} : { client }), issuedAt: createdAt }
    return sid === undefined
      ? [{ ...facts, session: id }]
      : [
          { ...facts, session: sid },
          { ...facts, session: id },
        ]
  })
  return named
}
