/** Reads what a token says of the key that it is bound to. */
import type { Confirmation } from '../identity.ts'

/** SHA-256, base64url. */
const digest = /^[\w-]{43}$/

/**
 * A token that is bound in a way which nobody here can check must never pass as an unbound one, so whatever is not understood
 * makes a confirmation that cannot be met: keys in place (`jwk`, `jwe`), by name or address (`kid`, `jku`, `x5u`), new members.
 *
 * @param claims of a token, or of what introspection answered
 * @returns undefined when the token is not bound
 * @see RFC 7800 section 3.1, RFC 8705 section 3.1, RFC 9449 section 6
 */
export function confirmationOf(claims: Readonly<Record<string, unknown>>): Confirmation | undefined {
  if (!Object.hasOwn(claims, 'cnf')) return undefined
  const { cnf } = claims
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) return unknown('no object')
  const members = Object.entries(cnf as Readonly<Record<string, unknown>>)
  if (members.length === 0) return unknown('empty')
  const read: { jkt?: string; x5tS256?: string } = {}
  for (const [name, value] of members) {
    if (typeof value !== 'string' || !digest.test(value)) return unknown(readable(name))
    if (name === 'jkt') read.jkt = value
    else if (name === 'x5t#S256') read.x5tS256 = value
    else return unknown(readable(name))
  }
  return Object.freeze(read)
}

function unknown(what: string): Confirmation {
  return Object.freeze({ unknown: what })
}

/** Only what has the form of a member's name is repeated to the operator. */
function readable(name: string): string {
  return /^[\w#.-]{1,32}$/.test(name) ? name : 'a strange member'
}
