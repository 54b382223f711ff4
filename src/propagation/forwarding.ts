/**
 * Where a request came from, told anew: what clients wrote of it is gone, what trusted proxies wrote counts from the client's own
 * address on. Whatever stood left of that anybody may have written.
 */
import { withoutOws } from '../engine/fields.ts'
import { isIP } from 'node:net'
import { Recent } from '../engine/recent.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { FieldLines } from '../exchange.ts'

/** The client by the rule of trusted proxies. */
export interface Client {
  readonly clientIp: string
  readonly scheme: 'http' | 'https'
  /** Lower-case, without port and trailing dot. */
  readonly host: string
  readonly port?: number
}

export interface ForwardingFacts {
  readonly request: GatewayRequest
  readonly client: Client
  /** The address that the connection came from. */
  readonly peer: string
  /** The family of fields that trusted proxies are believed in. */
  readonly family: 'x-forwarded' | 'rfc7239'
}

/** Appends `X-Forwarded-For`, `-Host`, `-Proto` and `Forwarded`. @see RFC 7239, section 4 */
export function writeForwarding(facts: ForwardingFacts, fields: string[]): void {
  const { client, peer } = facts
  const lines = client.clientIp === peer ? ownLines(client) : linesOf(client, chainOf(facts))
  for (const part of lines) fields.push(part)
}

interface Told {
  readonly client: Client
  readonly lines: FieldLines
}

/** A connection brings one request after the other: what is told of a client without a proxy is made once for its address. */
const told = new Recent<Told>(1000, 64)

function ownLines(client: Client): FieldLines {
  const before = told.get(client.clientIp)
  if (before !== undefined && isSame(before.client, client)) return before.lines
  const lines = linesOf(client, [client.clientIp])
  told.set(client.clientIp, { client, lines })
  return lines
}

function isSame(one: Client, other: Client): boolean {
  return one.host === other.host && one.port === other.port && one.scheme === other.scheme
}

/** @param chain the client, the proxies between, the peer */
function linesOf(client: Client, chain: readonly string[]): FieldLines {
  const host = hostOf(client)
  const nodes = chain.map(nodeOf)
  nodes[0] += `;host=${quotedHost(host)};proto=${client.scheme}`
  return [
    'X-Forwarded-For',
    chain.join(', '),
    'X-Forwarded-Host',
    host,
    'X-Forwarded-Proto',
    client.scheme,
    'Forwarded',
    nodes.join(', '),
  ]
}

/** @returns the client's `Host`, in normal form */
export function hostOf({ host, port }: Client): string {
  return port === undefined ? host : `${host}:${port}`
}

/** The client, the proxies between it and the peer, the peer. */
function chainOf({ request, client, peer, family }: ForwardingFacts): string[] {
  const entries = family === 'rfc7239' ? forwardedNodes(request) : listedNodes(request)
  const at = entries.lastIndexOf(client.clientIp)
  // Not found where a proxy wrote it in another form: those between are then left out, since nothing vouches for where they begin.
  const between = at === -1 ? [] : entries.slice(at + 1)
  return between.every((entry) => isIP(entry) !== 0)
    ? [client.clientIp, ...between, peer]
    : [client.clientIp, peer]
}

function listedNodes(request: GatewayRequest): string[] {
  return request
    .values('x-forwarded-for')
    .join(',')
    .split(',')
    .map((entry) => bareAddress(withoutOws(entry)))
}

const pair = /([^\s=;,"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))/g

/** The whole value is read pair by pair, so that nothing inside of quotes passes for a node. */
function forwardedNodes(request: GatewayRequest): string[] {
  const nodes: string[] = []
  for (const [, name, quoted, token] of request.values('forwarded').join(',').matchAll(pair)) {
    if (name!.toLowerCase() === 'for') nodes.push(bareAddress(quoted ?? token!))
  }
  return nodes
}

/** Without the port, and without the brackets of IPv6. */
function bareAddress(node: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(node)
  if (bracketed !== null) return bracketed[1]!.toLowerCase()
  return /^([\d.]+):\d+$/.exec(node)?.[1] ?? node.toLowerCase()
}

function nodeOf(address: string): string {
  return address.includes(':') ? `for="[${address}]"` : `for=${address}`
}

function quotedHost(host: string): string {
  return /^[\w.-]+$/.test(host) ? host : `"${host}"`
}
