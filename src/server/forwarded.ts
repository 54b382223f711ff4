/**
 * Who the client is, and what it asked for, by the rule of trusted proxies: the rightmost entry that is not a trusted proxy.
 * What stands left of it anybody may have written; what a trusted proxy wrote wrongly is refused, never guessed at,
 * since falling back to the proxy's own address could grant what is granted to that address.
 */
import { isNamed, withoutOws } from '../engine/fields.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { ConnectionFacts, FieldLines } from '../exchange.ts'
import { addressOfNode } from './address.ts'
import { parseForwarded } from './forwarded-field.ts'
import { parseHostPort } from './host.ts'
import type { TrustedProxies } from './trust.ts'

export { compileTrusted, type TrustedProxies } from './trust.ts'

export interface ClientFacts {
  /** Canonical; IPv4-mapped addresses are plain IPv4. */
  readonly clientIp: string
  readonly scheme: 'http' | 'https'
  /** Lower-case, without port and trailing dot. */
  readonly host: string
  /** As it stood in the host that counts. */
  readonly port?: number
}

/** @returns the facts, or why the forwarding fields of a trusted proxy are refused */
export function clientFacts(
  connection: Pick<ConnectionFacts, 'address' | 'isUntold' | 'tls'>,
  fields: FieldLines,
  trust: TrustedProxies,
): ClientFacts | Refusal {
  const scheme = connection.tls === undefined ? 'http' : 'https'
  const peer = connection.address
  // Who is behind a proxy that does not say whose connection it passed on is no proxy of ours, whatever its address.
  const isTold = connection.isUntold === undefined
  if (isTold && trust.has(peer)) {
    const hop =
      trust.family === 'rfc7239' ? rfc7239Hop(fields, peer, trust) : xForwardedHop(fields, peer, trust)
    if (hop === undefined)
      return refuse('bad_request', { detail: 'malformed forwarding fields of a trusted proxy' })
    return factsOf(hop.address, hop.scheme ?? scheme, hop.host ?? fieldOf(fields, 'host') ?? '')
  }
  let host: string | undefined
  let isForwarding = false
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    // By length first: most names are not looked at.
    switch (name.length) {
      case 4:
        if (host === undefined && isNamed(name, 'host')) host = fields[index + 1]!
        break
      case 9:
        isForwarding ||= isNamed(name, 'forwarded')
        break
      case 15:
        isForwarding ||= isNamed(name, 'x-forwarded-for')
        break
    }
  }
  if (isTold && isForwarding) trust.onIgnored?.(peer)
  return factsOf(peer, scheme, host ?? '')
}

function factsOf(clientIp: string, scheme: 'http' | 'https', text: string): ClientFacts | Refusal {
  const parsed = parseHostPort(text)
  if (parsed === undefined) return refuse('host_invalid')
  const { host, port } = parsed
  return port === undefined ? { clientIp, scheme, host } : { clientIp, scheme, host, port }
}

/** What is known of the client's own request; undefined members were not told. */
interface Hop {
  readonly address: string
  readonly scheme: 'http' | 'https' | undefined
  readonly host: string | undefined
}

function xForwardedHop(fields: FieldLines, peer: string, trust: TrustedProxies): Hop | undefined {
  const entries = listOf(fields, 'x-forwarded-for')
  const position = walk(entries.map(nodeAddress), trust)
  if (position === undefined) return undefined
  const protocol = entryAt(listOf(fields, 'x-forwarded-proto'), position.fromRight)
  const host = entryAt(listOf(fields, 'x-forwarded-host'), position.fromRight)
  return hopOf(position.address ?? peer, protocol, host)
}

/** `unknown` is Squid's word for an address that it will not tell. */
function nodeAddress(entry: string): string | typeof untold | undefined {
  return entry.toLowerCase() === 'unknown' ? untold : addressOfNode(entry)
}

function rfc7239Hop(fields: FieldLines, peer: string, trust: TrustedProxies): Hop | undefined {
  const lines = linesOf(fields, 'forwarded')
  if (lines.length === 0) return { address: peer, scheme: undefined, host: undefined }
  const elements = parseForwarded(lines.join(','))
  if (elements === undefined) return undefined
  const position = walk(
    elements.map((element) => (element.for === undefined ? untold : forwardedAddress(element.for))),
    trust,
  )
  if (position === undefined) return undefined
  const element = entryAt(elements, position.fromRight)
  return hopOf(position.address ?? peer, element?.proto, element?.host)
}

/** @see RFC 7239, section 6 */
function forwardedAddress(node: string): string | typeof untold | undefined {
  return /^(?:unknown|_[\w.-]+)(?::(?:\d{1,5}|_[\w.-]+))?$/i.test(node) ? untold : addressOfNode(node)
}

const untold = Symbol('an address that a proxy does not tell')

interface Position {
  /** Undefined: the peer's own. */
  readonly address: string | undefined
  readonly fromRight: number
}

/** From the right over trusted proxies; ends at the first entry that is none, or at the last one there is. */
function walk(
  entries: readonly (string | typeof untold | undefined)[],
  trust: TrustedProxies,
): Position | undefined {
  let address: string | undefined
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const entry = entries[at]
    if (entry === undefined) return undefined
    // Nobody tells more: the last hop that is known stands for the client.
    if (entry === untold) return { address, fromRight: entries.length - 1 - at }
    address = entry
    if (!trust.has(entry)) return { address, fromRight: entries.length - 1 - at }
  }
  return { address, fromRight: Math.max(0, entries.length - 1) }
}

/** Proxies that overwrite leave one value, proxies that append one for each hop: the same hop's, or the leftmost there is. */
function entryAt<T>(entries: readonly T[], fromRight: number): T | undefined {
  return entries.length === 0 ? undefined : entries[Math.max(0, entries.length - 1 - fromRight)]
}

const schemes: Readonly<Record<string, 'http' | 'https'>> = {
  http: 'http',
  https: 'https',
  ws: 'http',
  wss: 'https',
}

function hopOf(address: string, protocol: string | undefined, host: string | undefined): Hop | undefined {
  const scheme = protocol === undefined ? undefined : schemes[protocol.toLowerCase()]
  if (protocol !== undefined && scheme === undefined) return undefined
  if (host !== undefined && parseHostPort(host) === undefined) return undefined
  return { address, scheme, host }
}

function listOf(fields: FieldLines, name: string): string[] {
  const lines = linesOf(fields, name)
  return lines.length === 0 ? [] : lines.join(',').split(',').map(withoutOws)
}

function linesOf(fields: FieldLines, name: string): string[] {
  const lines: string[] = []
  for (let index = 0; index < fields.length; index += 2)
    if (isNamed(fields[index]!, name)) lines.push(fields[index + 1]!)
  return lines
}

function fieldOf(fields: FieldLines, name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2)
    if (isNamed(fields[index]!, name)) return fields[index + 1]
  return undefined
}
