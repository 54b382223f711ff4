/** IP addresses as the gateway counts and compares them. Pure parsing: nothing here opens a socket. */
import { BlockList, isIP, SocketAddress } from 'node:net'

/**
 * One host may take any address of its IPv6 /64, so that is what limits, lockout and audit count as one client.
 *
 * @returns an IPv4 address itself, of IPv6 the /64 in one spelling, anything else unchanged
 */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  const zone = address.indexOf('%')
  const groups = expand(zone === -1 ? address : address.slice(0, zone))
  return `${groups.slice(0, 4).join(':')}::/64`
}

function expand(address: string): string[] {
  const gap = address.indexOf('::')
  const left = groupsOf(gap === -1 ? address : address.slice(0, gap))
  const right = gap === -1 ? [] : groupsOf(address.slice(gap + 2))
  // A dotted tail stands for two groups.
  const width = left.length + right.length + (address.includes('.') ? 1 : 0)
  const zeros = Array<string>(Math.max(0, 8 - width)).fill('0')
  return [...left, ...zeros, ...right].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':')
}

export interface AddressRanges {
  has(address: string): boolean
}

/**
 * @param ranges addresses and CIDR ranges
 * @throws {TypeError} naming the text that is neither
 */
export function compileRanges(ranges: readonly string[]): AddressRanges {
  const list = new BlockList()
  for (const range of ranges) {
    const parsed = parseRange(range)
    if (parsed === undefined) throw new TypeError(`"${range}" is no address or CIDR range`)
    list.addSubnet(parsed.address, parsed.prefix, parsed.family)
  }
  return {
    has(address) {
      const family = isIP(address)
      return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** @returns whether the text is an address or a CIDR range */
export function isRange(text: string): boolean {
  return parseRange(text) !== undefined
}

function parseRange(
  text: string,
): { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const slash = text.indexOf('/')
  const address = slash === -1 ? text : text.slice(0, slash)
  const version = address.includes('%') ? 0 : isIP(address)
  if (version === 0) return undefined
  const widest = version === 4 ? 32 : 128
  const digits = slash === -1 ? String(widest) : text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > widest) return undefined
  // ::ffff:10.0.0.0/104 is the IPv4 range 10.0.0.0/8: clients are compared as plain IPv4.
  const mapped = version === 6 && Number(digits) >= 96 ? plainOfMapped(address) : undefined
  if (mapped !== undefined) return { address: mapped, prefix: Number(digits) - 96, family: 'ipv4' }
  return { address, prefix: Number(digits), family: version === 4 ? 'ipv4' : 'ipv6' }
}

function plainOfMapped(address: string): string | undefined {
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  const rest = canonical.startsWith('::ffff:') ? canonical.slice(7) : ''
  return isIP(rest) === 4 ? rest : undefined
}
