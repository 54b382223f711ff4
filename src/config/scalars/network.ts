/** Addresses, ranges, origins and URLs. Everything is read strictly: what two readers could take differently is refused. */
import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { readOr, Unreadable, type Scalar } from './scalar.ts'

export interface HostAndPort {
  /** An IPv6 address stands without brackets. */
  readonly host: string
  readonly port: number
}

/** Where to listen. */
export const address: Scalar<HostAndPort> = {
  expected: 'an address and port, such as 127.0.0.1:8080, 0.0.0.0:443 or "[::1]:8080"',
  pattern: /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/,
  read(text) {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text)
    if (match === null) return new Unreadable()
    const host = match[1] ?? match[2]!
    const port = Number(match[3])
    if (match[1] !== undefined && isIP(host) !== 6)
      return new Unreadable('no IPv6 address stands in the brackets')
    if (match[2] !== undefined && /^[\d.]+$/.test(host) && !isIPv4(host))
      return new Unreadable('not an IPv4 address')
    return port > 65_535 ? new Unreadable('ports end at 65535') : { host, port }
  },
  repair(found) {
    const text = String(found).trim()
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return `127.0.0.1:${text}`
    if (/^\*?:\d{1,5}$/.test(text)) return `0.0.0.0:${text.slice(text.indexOf(':') + 1)}`
    const url = /^[a-z]+:\/\/([^/]+)\/?$/i.exec(text)
    if (url !== null && readOr(address, url[1]!) !== undefined) return url[1]
    const ipv6 = /^([0-9A-Fa-f:]+):(\d{1,5})$/.exec(text)
    // In quotes: YAML takes a bracket for the beginning of a list.
    if (ipv6 !== null && isIP(ipv6[1]!) === 6) return `"[${ipv6[1]}]:${ipv6[2]}"`
    return isIPv4(text) ? `${text}:8080` : undefined
  },
}

/** A range of addresses, in its shortest form. IPv4-mapped ranges come out as IPv4. */
export const cidr: Scalar<string> = {
  expected: 'an address range, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32',
  pattern: /^[0-9A-Fa-f:.]+(\/\d{1,3})?$/,
  read: readRange,
  repair(found) {
    const [base = '', prefix] = String(found).trim().split('/')
    const octets = base.split('.')
    if (octets.length < 4 && octets.every((each) => /^\d{1,3}$/.test(each)) && prefix !== undefined) {
      return maskedRange(`${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${prefix}`)
    }
    return prefix === undefined ? undefined : maskedRange(`${base}/${prefix}`)
  },
}

function readRange(text: string): string | Unreadable {
  const match = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text)
  // isIP refuses the shorthand and octal forms (10.1, 010.0.0.1) that readers disagree about.
  if (match === null || isIP(match[1]!) === 0) return new Unreadable()
  const base = ipaddr.parse(match[1]!)
  const width = base.kind() === 'ipv4' ? 32 : 128
  const prefix = match[2] === undefined ? width : Number(match[2])
  if (prefix > width) return new Unreadable(`the number after the slash is at most ${width} here`)
  if (base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress()) {
    // ::ffff:10.0.0.0/8 looks like ten-dot and would cover all of IPv4 (CVE-2026-92395).
    if (prefix < 96)
      return new Unreadable('a range of IPv4-mapped addresses must be /96 or narrower; write it as IPv4')
    return inShortestForm(base.toIPv4Address(), prefix - 96)
  }
  return inShortestForm(base, prefix)
}

function inShortestForm(base: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string | Unreadable {
  const network = networkOf(base, prefix)
  return network === base.toString()
    ? `${network}/${prefix}`
    : new Unreadable(
        'the address has bits set beyond the range, so it is not clear which of the two is meant',
      )
}

function networkOf(base: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const text = `${base.toString()}/${prefix}`
  return base instanceof ipaddr.IPv4
    ? ipaddr.IPv4.networkAddressFromCIDR(text).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(text).toString()
}

function maskedRange(text: string): string | undefined {
  const [base = '', prefix = ''] = text.split('/')
  if (isIP(base) === 0 || !/^\d{1,3}$/.test(prefix)) return undefined
  const parsed = ipaddr.parse(base)
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && Number(prefix) < 96) {
    return maskedRange(`${parsed.toIPv4Address().toString()}/${prefix}`)
  }
  if (Number(prefix) > (parsed.kind() === 'ipv4' ? 32 : 128)) return undefined
  return readOr(cidr, `${networkOf(parsed, Number(prefix))}/${prefix}`)
}

/** Scheme, host and port, without a trailing slash. */
export const origin: Scalar<string> = {
  expected: 'an origin: scheme and host, such as https://api.example.com, without a path',
  pattern: /^https?:\/\/[^\s/?#@\\]+\/?$/,
  read(text) {
    const url = readUrl(text)
    if (url === undefined) return new Unreadable()
    if (url.pathname !== '/' || /[?#]/.test(text))
      return new Unreadable('an origin has no path, query or fragment')
    return url.origin
  },
  repair(found) {
    const text = String(found).trim()
    const url = readUrl(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
    return url === undefined || url.origin === text || !url.hostname.includes('.') ? undefined : url.origin
  },
}

/** Whose pages may call: an origin as browsers write it (RFC 6454 6.2), or all. */
export const corsOrigin: Scalar<string> = {
  expected: "an origin as browsers send it, such as https://app.example.com, or '*'",
  pattern: /^(\*|https?:\/\/[^\s/?#@\\*]+)$/,
  read(found) {
    if (found === '*') return found
    if (found.includes('*'))
      return new Unreadable('`*` stands only for all origins; others are listed one by one')
    return readUrl(found)?.origin === found ? found : new Unreadable()
  },
  repair: (found) =>
    String(found).includes('*')
      ? undefined
      : (readUrl(String(found).trim())?.origin ?? origin.repair?.(found)),
}

/** An address of a service: scheme, host and port. */
export const target: Scalar<string> = {
  expected: 'the address of a service: http:// or https://, a host and a port, such as http://127.0.0.1:7001',
  pattern: /^https?:\/\/[^\s/?#@\\]+\/?$/,
  read(text) {
    const url = readUrl(text)
    if (url === undefined) return new Unreadable()
    if (url.pathname !== '/' || /[?#]/.test(text)) {
      return new Unreadable(
        'a target has no path; to add one in front of every request, use `rewrite.addPrefix` on the route',
      )
    }
    return url.port === '0' ? new Unreadable('port 0 cannot be called') : url.origin
  },
  repair(found) {
    const text = String(found).trim()
    if (/^\d{1,5}$/.test(text)) return `http://127.0.0.1:${text}`
    const url = readUrl(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`)
    return url === undefined || url.origin === text ? undefined : url.origin
  },
}

/** An endpoint's URL, kept exactly as written (issuers are compared byte by byte). */
export const httpUrl: Scalar<string> = {
  expected: 'a URL, such as https://login.example.com',
  pattern: /^https?:\/\/[^\s#@\\]+$/,
  read(text) {
    if (readUrl(text) === undefined) return new Unreadable()
    return text.includes('#') ? new Unreadable('a fragment (#…) has no meaning here') : text
  },
  repair(found) {
    const text = String(found).trim()
    return typeof found === 'string' &&
      !text.includes('://') &&
      /^[\w-]+(\.[\w-]+)+(:\d+)?(\/\S*)?$/.test(text)
      ? `https://${text}`
      : undefined
  },
}

/** A host name without scheme, port and path. Lower-case. */
export const hostname: Scalar<string> = {
  expected: 'a host name, such as tenant.example.com, without https:// and without a path',
  pattern: /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/,
  read(text) {
    return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/.test(text) && !text.includes('..')
      ? text.toLowerCase()
      : new Unreadable()
  },
  repair(found) {
    const url = readUrl(String(found).trim())
    return url === undefined ? undefined : url.host
  },
}

/** @returns whether a URL's host never leaves this machine */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  const family = isIP(bare)
  if (family === 0) return false
  return ipaddr.process(bare).range() === 'loopback'
}

/** WHATWG parsing forgives much (tabs, missing slashes, backslashes, credentials): only what it takes unchanged counts. */
function readUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^\s\\@]+$/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.username === '' && url.password === '' && url.hostname !== '' ? url : undefined
}
