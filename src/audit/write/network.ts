import { isIPv6 } from 'node:net'

/** @returns the address itself, or the /64 of an IPv6 address: what one host or household chooses from freely */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(':') || !isIPv6(address)) return address
  const [plain = ''] = address.split('%')
  const [head = '', tail] = plain.split('::')
  const left = groupsOf(head)
  const right = tail === undefined ? [] : groupsOf(tail)
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => 0)
  const first = [...left, ...zeros, ...right].slice(0, 4)
  return `${first.map((group) => group.toString(16)).join(':')}::/64`
}

/** A last dotted part (an IPv4 address) stands for two groups; both are beyond the first 64 bits. */
function groupsOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? [0, 0] : [Number.parseInt(group, 16)]))
}
