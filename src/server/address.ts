/** IP addresses as peers and proxies write them, brought to one form. */
import { isIPv4, SocketAddress } from 'node:net'

/**
 * @returns the address in its one canonical form, IPv4-mapped ones as plain IPv4; undefined when it is none (a zone is none)
 * @see RFC 5952
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  // SocketAddress takes anything that inet_pton takes; a zone names an interface of another machine.
  if (!text.includes(':') || text.includes('%')) return undefined
  try {
    const { address } = new SocketAddress({ address: text, family: 'ipv6' })
    return plainAddress(address)
  } catch {
    return undefined
  }
}

/** @returns an address that the system gave, IPv4-mapped ones as plain IPv4 and without a zone */
export function plainAddress(address: string): string {
  if (address.startsWith('::ffff:') && isIPv4(address.slice(7))) return address.slice(7)
  const zone = address.indexOf('%')
  return zone === -1 ? address : address.slice(0, zone)
}

/**
 * Reads one node of a forwarding list: an address, with or without port, IPv6 in brackets where a port follows.
 *
 * @returns the canonical address, or undefined
 */
export function addressOfNode(node: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(node)
  if (bracketed !== null) {
    const address = bracketed[1]!
    return address.includes(':') ? canonicalAddress(address) : undefined
  }
  const withPort = /^([\d.]+):\d{1,5}$/.exec(node)
  return canonicalAddress(withPort?.[1] ?? node)
}
