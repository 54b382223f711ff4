/** Header fields that a route may not write: those of the protocol, and those that the gateway writes itself. */
import { identityFields } from '../../configuration.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { headerNamesOf } from '../compile-routes.ts'
import type { ParsedForward } from '../schema/forward.ts'
import { forwardMembers } from './backend-tokens.ts'
import { routesOf, type Check } from './check.ts'
import { repeatedNames } from './routes.ts'

export const checkForward: Check = function* (context) {
  for (const { forward, path } of forwardMembers(context)) {
    const names = Object.keys(forward.set)
    yield* repeatedNames(names, (name) => [...path, 'set', name])
    for (const name of names)
      yield* mayNotWrite(name, [...path, 'set', name], writtenFor(forward), requestFields)
    for (const [index, name] of forward.remove.entries())
      yield* mayNotRemove(name, [...path, 'remove', index])
    yield* checkIdentityHeaders(forward, path)
    for (const [index, name] of forward.keep.entries())
      yield* mayNotKeep(name, [...path, 'keep', index], forward)
  }
}

export const checkResponse: Check = function* (context) {
  for (const { route, path } of routesOf(context)) {
    const { set, remove } = route.response.headers
    const place: Path = [...path, 'response', 'headers']
    yield* repeatedNames(Object.keys(set), (name) => [...place, 'set', name])
    for (const name of Object.keys(set))
      yield* mayNotWrite(name, [...place, 'set', name], new Set(), responseFields)
    for (const [index, name] of remove.entries()) yield* mayNotRemove(name, [...place, 'remove', index])
  }
}

/** RFC 9110 7.6.1 and the framing of the message: written by whoever sends it, never by a rule. */
const protocolFields = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'host',
  'proxy-authenticate',
  'proxy-authorization',
  'expect',
] as const
const requestFields: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'forwarded',
  'x-request-id',
])
const responseFields: ReadonlySet<string> = new Set(['x-request-id'])
const assertionField = 'x-portcullis-assertion'

function* mayNotWrite(
  name: string,
  path: Path,
  written: ReadonlySet<string>,
  gatewayFields: ReadonlySet<string>,
): Generator<Complaint> {
  const lower = name.toLowerCase()
  if ((protocolFields as readonly string[]).includes(lower)) {
    const expected = lower === 'host' ? '`rewrite: { host: … }` on the route' : 'another field'
    yield {
      path,
      message: 'this field belongs to the connection or the framing of the message',
      expected,
      atKey: true,
    }
  } else if (written.has(lower) || gatewayFields.has(lower)) {
    yield { path, message: 'the gateway writes this field itself', expected: 'another field', atKey: true }
  }
}

function* mayNotRemove(name: string, path: Path): Generator<Complaint> {
  if (['host', 'content-length', 'transfer-encoding'].includes(name.toLowerCase())) {
    yield { path, message: 'without this field the message cannot be read', expected: 'another field' }
  }
}

function* checkIdentityHeaders({ headers }: ParsedForward, path: Path): Generator<Complaint> {
  if (typeof headers === 'boolean') return
  const seen = new Map<string, string>()
  for (const field of identityFields) {
    const name = headers[field]
    if (name === undefined) continue
    const lower = name.toLowerCase()
    const place: Path = [...path, 'headers', field]
    yield* mayNotWrite(name, place, new Set([assertionField]), requestFields)
    if (seen.has(lower))
      yield {
        path: place,
        message: `\`${seen.get(lower)}\` goes into this field already`,
        expected: 'a field of its own',
      }
    seen.set(lower, field)
  }
}

/** A kept field that the upstream trusts would let a client say who it is. */
function* mayNotKeep(name: string, path: Path, forward: ParsedForward): Generator<Complaint> {
  const alike = (one: string): string => one.toLowerCase().replace(/[^a-z0-9]/g, '-')
  const trusted = [...writtenFor(forward), ...Object.keys(forward.set)].map(alike)
  if (trusted.includes(alike(name))) {
    yield {
      path,
      message: 'the upstream trusts this field: a client that could send it could say who it is',
      expected: 'a field that neither the gateway nor `forward` writes',
    }
  }
}

function writtenFor(forward: ParsedForward): ReadonlySet<string> {
  const names = Object.values(headerNamesOf(forward.headers) || {})
  return new Set([...names.map((name) => name.toLowerCase()), ...(forward.assertion ? [assertionField] : [])])
}
