// The one rule that keeps this provider harmless: its passwords are printed, so nobody but this machine may reach it.
import { BlockList, isIP } from 'node:net'

/**
 * Throws unless `host` is a literal loopback address.
 *
 * A name is refused even if it is `localhost`: what a name resolves to is somebody else's decision.
 *
 * @throws {Error} naming the address and the reason
 * @see RFC 6890 section 2.2.2, RFC 4291 section 2.5.3
 */
export function refuseOutsideLoopback(host: string): void {
  if (isLoopback(host)) return
  throw new Error(
    `the development identity provider listens on loopback only: expected an address in 127.0.0.0/8 or "::1", found "${host}"; its passwords are public`,
  )
}

function isLoopback(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return false
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
