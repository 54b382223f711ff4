/** Whose forwarding headers are believed. */
import { compileRanges } from '../engine/addresses.ts'

export interface TrustedProxies {
  readonly family: 'x-forwarded' | 'rfc7239'
  /** @param address canonical */
  has(address: string): boolean
  /** A peer that is not trusted sent forwarding headers: worth a warning, since they are ignored. */
  readonly onIgnored: ((peer: string) => void) | undefined
}

/** Peers are few and their requests many. Bounded: addresses come from outside. */
const remembered = 1024

/**
 * @param cidrs ranges or single addresses, already validated
 * @throws when one is neither
 */
export function compileTrusted(
  cidrs: readonly string[],
  family: 'x-forwarded' | 'rfc7239',
  onIgnored?: (peer: string) => void,
): TrustedProxies {
  const ranges = compileRanges(cidrs)
  const known = new Map<string, boolean>()
  return {
    family,
    onIgnored,
    has(address) {
      if (cidrs.length === 0) return false
      const before = known.get(address)
      if (before !== undefined) return before
      if (known.size >= remembered) known.clear()
      const isTrusted = ranges.has(address)
      known.set(address, isTrusted)
      return isTrusted
    },
  }
}
