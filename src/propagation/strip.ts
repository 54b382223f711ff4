/**
 * What a client may not say to a backend: everything by which the gateway itself, or another proxy, would say who is calling, from
 * where, or by which method; and the credentials that the gateway has read already.
 */
import type { AuthenticatorSettings, ForwardSettings } from '../configuration.ts'
import { isOwnCookie, withoutCookies } from '../engine/cookies.ts'
import { canonicalName, hopByHopNames } from '../engine/fields.ts'
import type { CredentialPlace } from '../engine/identity.ts'
import { NameFilter } from '../engine/name-filter.ts'
import { decodeFormPart } from '../engine/query.ts'
import { Recent } from '../engine/recent.ts'

/** Places that authenticators of the configuration read, in the form in which names are compared. */
export interface CredentialNames {
  readonly headers: ReadonlySet<string>
  readonly cookies: ReadonlySet<string>
  readonly parameters: ReadonlySet<string>
}

export function credentialNames(
  authenticators: Readonly<Record<string, AuthenticatorSettings>>,
): CredentialNames {
  const places = Object.values(authenticators).flatMap((authenticator) => authenticator.in)
  const named = (kind: CredentialPlace['kind']): Set<string> =>
    new Set(places.filter((place) => place.kind === kind).map(({ name }) => canonicalName(name)))
  return { headers: named('header'), cookies: named('cookie'), parameters: named('query') }
}

/** Beginnings of names by which a proxy tells of the caller. */
const prefixes = ['x-auth-', 'x-portcullis-', 'x-forwarded-', 'ssl-client-', 'x-ssl-', 'x-client-cert']

const always = [
  'authorization',
  'client-cert',
  'client-cert-chain',
  'dpop',
  'forwarded',
  // A CGI backend would take it for HTTP_PROXY, and send its own calls there.
  'proxy',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
]

/** Written by the gateway on every request, or belonging to one connection: no `keep` brings a client's own back. */
export const reservedNames: ReadonlySet<string> = new Set([
  ...hopByHopNames,
  'content-length',
  'expect',
  'forwarded',
  'host',
  'traceparent',
  'tracestate',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-portcullis-assertion',
  'x-request-id',
])

/** What one route removes. */
export interface Strip {
  /** @param name as the client wrote it */
  removesHeader(name: string): boolean
  /** @param name lower-case @returns whether a credential in this field can be passed on: not where the gateway writes the field */
  canKeep(name: string): boolean
  /** @returns the `Cookie` value without what goes; undefined when nothing is left */
  cookies(line: string, kept: readonly CredentialPlace[]): string | undefined
  /** @returns the query without what goes, otherwise byte by byte as it was */
  query(query: string, kept: readonly CredentialPlace[]): string
}

/** @param told names by which any route tells this upstream who is calling */
export function compileStrip(
  forward: Pick<ForwardSettings, 'set' | 'remove' | 'keep' | 'backendToken'>,
  credentials: CredentialNames,
  told: ReadonlySet<string>,
): Strip {
  // What the gateway writes for the upstream must not stand beside what the client sent.
  const token = forward.backendToken === undefined ? [] : ['authorization', 'dpop']
  const written = new Set(
    [...reservedNames, ...Object.keys(forward.set), ...told, ...token].map(canonicalName),
  )
  const removed = new Set(
    [...always, ...forward.remove, ...written, ...credentials.headers].map(canonicalName),
  )
  const kept = new Set(
    forward.keep.map((name) => name.toLowerCase()).filter((name) => !written.has(canonicalName(name))),
  )
  const keptElsewhere = new Set(forward.keep)
  const mayRemove = new NameFilter(removed, prefixes)
  const removes = remembered((name) => {
    if (kept.has(name.toLowerCase())) return false
    const folded = canonicalName(name)
    return removed.has(folded) || prefixes.some((prefix) => folded.startsWith(prefix))
  })
  return {
    removesHeader: (name) => mayRemove.mayHave(name) && removes(name),
    canKeep: (name) => !written.has(canonicalName(name)),
    cookies(line, credential) {
      return withoutCookies(line, (name) => {
        if (isOwnCookie(name)) return true
        if (!credentials.cookies.has(canonicalName(name))) return false
        return !keptElsewhere.has(name) && !isPlaceOf(credential, 'cookie', name)
      })
    },
    query(query, credential) {
      if (credentials.parameters.size === 0 || query === '') return query
      return withoutParameters(query, (name) => {
        if (!credentials.parameters.has(canonicalName(name))) return false
        return !keptElsewhere.has(name) && !isPlaceOf(credential, 'query', name)
      })
    },
  }
}

function isPlaceOf(places: readonly CredentialPlace[], kind: CredentialPlace['kind'], name: string): boolean {
  return places.some((place) => place.kind === kind && place.name === name)
}

function withoutParameters(query: string, goes: (name: string) => boolean): string {
  const pairs = query.split('&')
  const left = pairs.filter((pair) => {
    const equals = pair.indexOf('=')
    return !goes(decodeFormPart(equals === -1 ? pair : pair.slice(0, equals)))
  })
  return left.length === pairs.length ? query : left.join('&')
}

/** Clients send the same few names for ever. */
function remembered(judge: (name: string) => boolean): (name: string) => boolean {
  const known = new Recent<boolean>(512, 64)
  return (name) => {
    let answer = known.get(name)
    if (answer === undefined) known.set(name, (answer = judge(name)))
    return answer
  }
}
