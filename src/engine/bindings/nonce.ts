/** Nonces of the server: a proof that carries one cannot have been made long before. */
import { createHmac } from 'node:crypto'
import { isSameMac } from '../constant-time.ts'
import type { Clock } from '../../ports/clock.ts'

export interface ServerNonces {
  /** The one to give out now. */
  current(): string
  /** `previous`: still good, and time for the client to take the current one. */
  judge(nonce: string): 'current' | 'previous' | 'unknown'
}

/** Milliseconds. A nonce is good for the rest of its slot and for the next one. */
export const nonceSlot = 60_000

const length = 22

/**
 * Nothing is kept: a nonce is a MAC over the slot of time in which it is given out, so every replica that shares the secret
 * knows every nonce, and a restart forgets none.
 *
 * @param secret at least 32 random bytes, the same for all replicas
 * @see RFC 9449 section 9
 */
export function createServerNonces(secret: Uint8Array, clock: Clock): ServerNonces {
  if (secret.length < 32) throw new TypeError('the secret of nonces has fewer than 32 bytes')
  let slot = -1
  let nonces: readonly [current: string, previous: string, next: string] = ['', '', '']

  const renew = (): typeof nonces => {
    const now = Math.floor(clock.now() / nonceSlot)
    if (now !== slot) {
      slot = now
      nonces = [nonceOf(now), nonceOf(now - 1), nonceOf(now + 1)]
    }
    return nonces
  }
  const nonceOf = (at: number): string =>
    createHmac('sha256', secret).update(`dpop-nonce ${at}`).digest('base64url').slice(0, length)

  return Object.freeze({
    current: () => renew()[0],
    judge(nonce: string) {
      const [current, previous, next] = renew()
      if (isSame(nonce, current)) return 'current'
      if (isSame(nonce, previous)) return 'previous'
      // From a replica whose clock is a moment ahead.
      return isSame(nonce, next) ? 'current' : 'unknown'
    },
  })
}

function isSame(nonce: string, expected: string): boolean {
  return nonce.length === length && isSameMac(Buffer.from(nonce), Buffer.from(expected))
}
