/** Which addresses a fetch must not reach: a URL that an attacker could bend must not read a cloud's instance credentials. */
import { BlockList, isIP } from 'node:net'

/**
 * Link-local ranges hold the metadata services of most clouds; the rest are the ones that live elsewhere.
 * An IPv4 range also covers its IPv4-mapped form; the other embeddings (compatible, NAT64, 6to4) are listed.
 */
const forbidden = blockList([
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
  ['::a9fe:0', 112],
  ['::6464:64c8', 128],
  ['64:ff9b::a9fe:0', 112],
  ['64:ff9b::6464:64c8', 128],
  ['2002:a9fe::', 32],
])

const loopback = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
])

/** @returns true for link-local and metadata addresses, in any embedding; `address` may carry a zone */
export function isForbiddenAddress(address: string): boolean {
  return contains(forbidden, address)
}

/** @returns true for 127.0.0.0/8, `::1` and their IPv4-mapped forms */
export function isLoopbackAddress(address: string): boolean {
  return contains(loopback, address)
}

/** @returns true for a URL host that names this machine; what a name resolves to is checked when it is dialled */
export function isLoopbackHost(host: string): boolean {
  const bare = withoutBrackets(host)
  return isIP(bare) === 0 ? /^(?:.+\.)?localhost\.?$/i.test(bare) : isLoopbackAddress(bare)
}

/** @returns the address when a URL's host is an IP literal */
export function literalAddress(host: string): string | undefined {
  const bare = withoutBrackets(host)
  return isIP(bare) === 0 ? undefined : bare
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

function contains(list: BlockList, address: string): boolean {
  const [bare = ''] = address.split('%')
  const family = isIP(bare)
  return family !== 0 && list.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

function blockList(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of ranges) {
    list.addSubnet(network, prefix, isIP(network) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
