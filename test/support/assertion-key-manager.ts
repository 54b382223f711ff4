import { createAssertionKeyManager, type AssertionKeyManager } from '../../src/keys/assertion-keys.ts'
import type { Recorder } from '../../src/keys/events.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { openAssertionKeys } from '../../src/propagation/assertion-keys.ts'

/** Over a store's own keys, as in a gateway. */
export async function assertionKeysIn(
  store: Store,
  parts: { readonly audit: Recorder; readonly clock: Clock },
): Promise<AssertionKeyManager> {
  const schedule = { rotateEvery: 30 * 86_400_000, lifetime: 60_000 }
  const keys = await openAssertionKeys(store.meta, { clock: parts.clock, ...schedule })
  return createAssertionKeyManager({ ...parts, keys })
}
