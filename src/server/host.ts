/** `Host` and every other `host[:port]`: one grammar, stricter than RFC 3986 (no percent escapes, no sub-delimiters). */
import { isIPv6 } from 'node:net'
import { ownText } from '../engine/fields.ts'
import { Recent } from '../engine/recent.ts'

// Linear: a dot is in no label, so there is one way to match. An empty port, empty labels and user info are not understood.
const pattern = /^(\[[\da-f:.]{2,45}\]|[\w-]+(?:\.[\w-]+)*\.?)(?::(\d{1,5}))?$/i
const longest = 255 + 6

/** A host and the port that stood behind it. */
export interface HostPort {
  /** Lower-case, without trailing dot; IPv6 in brackets. */
  readonly host: string
  readonly port?: number
}

// A gateway has few hosts, and looks at one for each request.
const known = new Recent<HostPort>(500, longest)

/** @returns whether the text is a host, by name or address, with or without port */
export function isHostPort(text: string): boolean {
  return parseHostPort(text) !== undefined
}

/**
 * @returns the parts, or undefined when the text is no `host[:port]`
 * @see RFC 9110, section 7.2
 */
export function parseHostPort(text: string): HostPort | undefined {
  const before = known.get(text)
  if (before !== undefined) return before
  const found = match(text)
  if (found === undefined) return undefined
  const name = found[1]!.toLowerCase()
  const host = ownText(name.endsWith('.') ? name.slice(0, -1) : name)
  const parts = Object.freeze(found[2] === undefined ? { host } : { host, port: Number(found[2]) })
  known.set(text, parts)
  return parts
}

function match(text: string): RegExpExecArray | undefined {
  if (text.length > longest) return undefined
  const found = pattern.exec(text)
  if (found === null) return undefined
  if (text[0] === '[' && !isIPv6(found[1]!.slice(1, -1))) return undefined
  if (found[2] !== undefined && !isPort(Number(found[2]))) return undefined
  return found
}

function isPort(port: number): boolean {
  return port > 0 && port < 65_536
}
