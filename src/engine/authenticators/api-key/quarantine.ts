/**
 * A key that was found in public may be kept alive for its owner: it is then good only from addresses that it was used from
 * before, so that whoever read it there cannot use it.
 */
import type { ApiKeyRecord, ApiKeyStore } from '../../../ports/api-keys.ts'
import { addressBlock } from '../../addresses.ts'
import type { GatewayRequest } from '../../request.ts'
import { quarantineWindow } from './life.ts'

/** Where a key comes from. */
export type Origin = Pick<GatewayRequest, 'clientIp'>

/** @returns whether the quarantine lets the key pass; a promise only where the store must be waited for, which alone may fail */
export function isSeenLately(
  store: Pick<ApiKeyStore, 'lastSeen'>,
  record: ApiKeyRecord,
  { clientIp }: Origin,
  now: number,
): boolean | Promise<boolean> {
  const at = store.lastSeen(record.id, addressBlock(clientIp))
  return at instanceof Promise ? at.then((settled) => isLate(settled, now)) : isLate(at, now)
}

function isLate(at: number | undefined, now: number): boolean {
  return at !== undefined && now - at < quarantineWindow
}
