/** Whose forwarding headers are believed. */
import { BlockList, isIPv6 } from 'node:net'
import { canonicalAddress } from './address.ts'

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
  const list = new BlockList()
  for (const cidr of cidrs) add(list, cidr)
  const known = new Map<string, boolean>()
  return {
    family,
    onIgnored,
    has(address) {
      if (cidrs.length === 0) return false
      const before = known.get(address)
      if (before !== undefined) return before
      if (known.size >= remembered) known.clear()
      const isTrusted = list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
      known.set(address, isTrusted)
      return isTrusted
    },
  }
}

function add(list: BlockList, cidr: string): void {
  const slash = cidr.indexOf('/')
  const written = slash === -1 ? cidr : cidr.slice(0, slash)
  const address = canonicalAddress(written)
  if (address === undefined) throw new TypeError(`not an address range: ${cidr}`)
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (slash === -1) {
    list.addAddress(address, family)
    return
  }
  const length = cidr.slice(slash + 1)
  // ::ffff:10.0.0.0/104 is the IPv4 range 10.0.0.0/8.
  const bits = Number(length) - (family === 'ipv4' && isIPv6(written) ? 96 : 0)
  // The digits are asked for by themselves: an empty length would count as 0, and trust the whole world.
  if (!/^\d{1,3}$/.test(length) || bits < 0 || bits > (family === 'ipv6' ? 128 : 32))
    throw new TypeError(`not an address range: ${cidr}`)
  list.addSubnet(address, bits, family)
}
