/** Where a key stands in its life. One home for the gateway's verdict, the lists that operators read, and the expiry notices. */
import type { ApiKeyRecord } from '../../../ports/api-keys.ts'
import type { Reason } from '../../errors.ts'

export const keyStatuses = ['active', 'not-yet-valid', 'grace', 'quarantined', 'expired', 'revoked'] as const
export type KeyStatus = (typeof keyStatuses)[number]

/** Answers carry `Portcullis-Key-Expires` this long before a key's end. */
export const noticePeriod: number = 14 * 86_400_000

/** A key in quarantine is good only from addresses that it was used from this shortly before. */
export const quarantineWindow: number = 30 * 86_400_000

/** @returns milliseconds since the epoch at which the key stops: its expiry or the end of its grace, or Infinity */
export function endOfKey(record: ApiKeyRecord): number {
  return Math.min(record.expiresAt ?? Infinity, record.graceEndsAt ?? Infinity)
}

export function statusOfKey(record: ApiKeyRecord, now: number): KeyStatus {
  if (record.revokedAt !== undefined) return 'revoked'
  if (endOfKey(record) <= now) return 'expired'
  if (record.notBefore !== undefined && record.notBefore > now) return 'not-yet-valid'
  if (record.quarantinedAt !== undefined) return 'quarantined'
  return record.graceEndsAt === undefined ? 'active' : 'grace'
}

/** @returns why the key is not good now, or undefined when it is; a quarantine is judged by where the key comes from */
export function faultOfKey(record: ApiKeyRecord, now: number): Reason | undefined {
  switch (statusOfKey(record, now)) {
    case 'active':
    case 'grace':
    case 'quarantined':
      return undefined
    case 'not-yet-valid':
      return 'key_not_yet_valid'
    case 'revoked':
      return 'key_revoked'
    case 'expired':
      return (record.expiresAt ?? Infinity) <= now ? 'key_expired' : 'key_grace_over'
  }
}
