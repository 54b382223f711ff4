/** Who a key's caller is, and what is known of the key beside that. */
import type { ApiKeyRecord } from '../../../ports/api-keys.ts'
import type { Confirmation, CredentialFacts, CredentialPlace, Identity } from '../../identity.ts'
import type { Verified } from '../../outcome.ts'
import { formatTime } from '../../units.ts'
import { endOfKey, noticePeriod } from './life.ts'

/** Vouches for all API keys: the gateway itself. */
export const apiKeyIssuer = 'urn:portcullis:api-key'

/** Claims of our own, which metadata may not stand in for. */
export const ownClaims = ['key_id', 'key_name'] as const

/** When the answer for this key changes by time alone, though nobody touches the record. */
export function noticeBegins(record: ApiKeyRecord): number {
  return record.graceEndsAt === undefined ? endOfKey(record) - noticePeriod : -Infinity
}

/** Makes the frozen answer that all requests with this key share. */
export function verifiedByKey(
  record: ApiKeyRecord,
  method: string,
  place: CredentialPlace,
  now: number,
): Verified {
  const claims: Record<string, unknown> = { ...record.metadata, key_id: record.id }
  delete claims['key_name']
  if (record.name !== undefined) claims['key_name'] = record.name
  const identity: Identity = {
    issuer: apiKeyIssuer,
    subject: record.owner,
    ...(record.tenant === undefined ? {} : { tenant: record.tenant }),
    scopes: Object.freeze([...record.scopes]),
    roles: Object.freeze([...record.roles]),
    claims: Object.freeze(claims),
    method,
    amr: amrOfKeys,
  }
  const credential: CredentialFacts = {
    kind: 'api-key',
    id: record.id,
    expiresAt: endOfKey(record),
    issuedAt: record.createdAt,
    place,
    ...(record.allowedIps.length === 0 ? {} : { allowedIps: record.allowedIps }),
    ...(record.allowedRoutes.length === 0 ? {} : { allowedRoutes: record.allowedRoutes }),
    ...(record.rateLimit === undefined ? {} : { rateLimit: record.rateLimit }),
    ...(record.certificate === undefined ? {} : { confirmation: confirmationOfKey(record.certificate) }),
    ...(now >= noticeBegins(record) ? { expiryNotice: formatTime(endOfKey(record)) } : {}),
  }
  return Object.freeze({
    outcome: 'verified',
    identity: Object.freeze(identity),
    credential: Object.freeze(credential),
  })
}

/** A key that is bound to a certificate is of no use without it; bound to what is no fingerprint, of none at all. */
function confirmationOfKey(fingerprint: string): Confirmation {
  return Object.freeze(
    /^[0-9a-f]{64}$/i.test(fingerprint)
      ? { x5tS256: Buffer.from(fingerprint, 'hex').toString('base64url') }
      : { unknown: 'certificate' },
  )
}

const amrOfKeys: readonly string[] = Object.freeze(['api-key'])
