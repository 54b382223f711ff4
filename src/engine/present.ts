/** Finds which credentials a request carries, before any is verified (CONTRACT step 4). */
import { cookieValues } from './cookies.ts'
import { ownText } from './fields.ts'
import { queryValues } from './query.ts'
import { rejected, type Rejected } from './outcome.ts'
import { markOf, Recent } from './recent.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialPlace } from './identity.ts'
import type { GatewayRequest } from './request.ts'

/** All that a route reads from one header, cookie or query parameter: one place is one credential, whoever reads it. */
export interface PlaceReader {
  readonly kind: Exclude<CredentialPlace['kind'], 'certificate'>
  readonly name: string
  /** Lower-case scheme → the place that names it. */
  readonly schemes: ReadonlyMap<string, CredentialPlace>
  /** The place without a scheme, where some authenticator reads the whole value. */
  readonly whole: CredentialPlace | undefined
}

/** Groups the places of a route's authenticators, each header, cookie and parameter once. */
export function compilePlaces(authenticators: readonly Authenticator[]): readonly PlaceReader[] {
  const readers = new Map<string, Draft>()
  for (const place of authenticators.flatMap((each) => each.places)) {
    if (place.kind === 'certificate') continue
    const key = `${place.kind} ${place.name}`
    const reader: Draft = readers.get(key) ?? { kind: place.kind, name: place.name, schemes: new Map() }
    readers.set(key, reader)
    if (place.kind === 'header' && place.scheme !== undefined)
      reader.schemes.set(place.scheme.toLowerCase(), place)
    else reader.whole = place
  }
  return [...readers.values()].map((reader) => Object.freeze({ ...reader, whole: reader.whole }))
}

interface Draft {
  readonly kind: PlaceReader['kind']
  readonly name: string
  readonly schemes: Map<string, CredentialPlace>
  whole?: CredentialPlace
}

const byCertificate: CredentialPlace = Object.freeze({ kind: 'certificate', name: 'client' })

/** @returns the client certificate as a credential of its own */
export function readCertificate({ certificate }: GatewayRequest): Presented | undefined {
  return certificate === undefined
    ? undefined
    : { value: certificate.fingerprint, place: byCertificate, certificate }
}

/** @returns the credential in this place, undefined when there is none, or why what is there cannot be one */
export function readPlace(reader: PlaceReader, request: GatewayRequest): Presented | Rejected | undefined {
  switch (reader.kind) {
    case 'header':
      return readHeader(reader, request)
    case 'cookie': {
      const values = cookieValues(request, reader.name)
      return single(reader, values)
    }
    case 'query': {
      return request.query === '' ? undefined : single(reader, queryValues(request.query, reader.name))
    }
  }
}

function single(reader: PlaceReader, values: readonly string[]): Presented | Rejected | undefined {
  const [value] = values
  if (value === undefined || reader.whole === undefined) return undefined
  if (values.length > 1) return rejected('credential_repeated', `${reader.kind} ${reader.name}`)
  if (value === '') return rejected('credential_empty', `${reader.kind} ${reader.name}`)
  return { value, place: reader.whole }
}

/**
 * Two fields that are one credential, each of them a list: others may have added to either in lines of their own. One of the
 * two alone is there all the same, and whoever judges it sees that the rest is missing.
 */
function readPair(place: CredentialPlace, companion: string, request: GatewayRequest): Presented | undefined {
  const lines = request.values(place.name)
  const others = request.values(companion)
  if (lines.length === 0 && others.length === 0) return undefined
  return { value: `${lines.join(', ')}\n${others.join(', ')}`, place }
}

interface Before {
  readonly reader: PlaceReader
  readonly presented: Presented
}

/** Longer values are taken apart each time. Characters. */
const longestKept = 2048

/**
 * Callers send the same value again and again: taken apart once, it need not be looked through again, and those who remember the
 * credential find it by a text that they have seen. Nothing here says that it is good.
 */
const lately = new Recent<Before>(4096, longestKept)

/** What comes once is not worth a memory. */
const seenOnce = new Uint32Array(8192)

function comesAgain(value: string): boolean {
  if (value.length > longestKept) return false
  const mark = markOf(value)
  const at = mark % seenOnce.length
  if (seenOnce[at] === mark) return true
  seenOnce[at] = mark
  return false
}

function readHeader(reader: PlaceReader, request: GatewayRequest): Presented | Rejected | undefined {
  const { whole } = reader
  if (whole?.kind === 'header' && whole.companion !== undefined)
    return readPair(whole, whole.companion, request)
  const count = request.count(reader.name)
  if (count === 0) return undefined
  // Two lines of one credential field: whichever we verified, a backend might read the other.
  if (count > 1) return rejected('credential_repeated', `header ${reader.name}`)
  const value = request.header(reader.name) ?? ''
  const before = lately.get(value)
  if (before?.reader === reader) return before.presented
  if (!comesAgain(value)) return takeApart(reader, value)
  const presented = takeApart(reader, ownText(value))
  if (presented !== undefined && !('outcome' in presented)) lately.set(value, { reader, presented })
  return presented
}

function takeApart(reader: PlaceReader, value: string): Presented | Rejected | undefined {
  if (reader.schemes.size > 0) {
    const space = value.indexOf(' ')
    const scheme = space === -1 ? value : value.slice(0, space)
    const place = reader.schemes.get(scheme.toLowerCase())
    if (place !== undefined) {
      const rest = space === -1 ? '' : value.slice(space + 1).trimStart()
      if (rest === '') return rejected('credential_empty', `header ${reader.name}`)
      // RFC 9110 section 11.2: one token68; a list or a second word could be read differently behind us.
      if (/[\s,]/.test(rest)) return rejected('token_malformed', `header ${reader.name}`)
      return { value: rest, place, scheme }
    }
    if (reader.whole === undefined) return rejected('scheme_unknown', `header ${reader.name}`)
  }
  if (value === '') return rejected('credential_empty', `header ${reader.name}`)
  return reader.whole === undefined ? undefined : { value, place: reader.whole }
}
