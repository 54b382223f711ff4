/** Claims become an identity, by the provider's claim paths. */
import type { ClaimPath } from '../../providers/settings.ts'
import type { Identity } from '../../identity.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import type { Claims, Profile } from '../../providers/profile.ts'
import { readClaim } from './claims.ts'

export interface Mapped {
  readonly identity: Identity
  /** `jti`, or what plays its part. */
  readonly tokenId?: string
  /** `sid`: the provider's session, for revocation. */
  readonly session?: string
}

const maxTextLength = 512
const maxListLength = 500

/** What a claim has that cannot be used; caught where the identity is made. */
class ClaimFault extends Error {}

/** @returns the identity, frozen to the bottom, or what in the claims keeps one from being made */
export function mapIdentity(claims: Claims, profile: Profile, method: string): Mapped | Rejected {
  try {
    return readIdentity(claims, profile, method)
  } catch (error) {
    if (error instanceof ClaimFault) return rejected('token_claim', error.message)
    throw error
  }
}

function readIdentity(claims: Claims, profile: Profile, method: string): Mapped {
  const paths = profile.claims
  const issuer = readText('issuer', profile.issuerOf(claims))
  const subject = readText('subject', firstClaim(claims, paths.subject))
  if (issuer === undefined || subject === undefined) throw new ClaimFault('the subject is missing')
  const client = readText('client', firstClaim(claims, paths.client) ?? profile.clientOfIdToken(claims))
  const tenant = readText('tenant', firstClaim(claims, paths.tenant))
  const tokenId = readText('token id', profile.tokenId(claims) ?? undefined)
  const session = readText('sid', claims['sid'] ?? undefined)
  const actor = claims['act'] ?? undefined
  if (actor !== undefined && (typeof actor !== 'object' || Array.isArray(actor))) {
    throw new ClaimFault('`act` is not an object')
  }
  const withheld = withheldFrom(claims, profile)
  const identity: Identity = {
    issuer,
    subject,
    ...(client === undefined ? {} : { client }),
    ...(tenant === undefined ? {} : { tenant }),
    scopes: readList('scopes', firstClaim(claims, paths.scopes), ' '),
    roles: readRoles(claims, profile),
    claims,
    method,
    amr: ['jwt'],
    ...(actor === undefined ? {} : { actor }),
    ...(withheld.length === 0 ? {} : { withheld }),
  }
  return {
    identity: freezeDeep(identity),
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(session === undefined ? {} : { session }),
  }
}

function readRoles(claims: Claims, { claims: paths }: Profile): readonly string[] {
  const roles = readList('roles', firstClaim(claims, paths.roles))
  const more = paths.moreRoles.flatMap((path) => readList('roles', readClaim(claims, path)))
  if (more.length === 0) return roles
  const all = [...new Set([...roles, ...more])]
  if (all.length > maxListLength) throw new ClaimFault(`more than ${maxListLength} roles`)
  return all
}

/** What the provider did not send, and which parts of the identity would have been read from it. */
function withheldFrom(claims: Claims, profile: Profile): readonly string[] {
  // What came all the same, from another source, is not lacking.
  const names = profile.withheldClaims(claims).filter((name) => readClaim(claims, [name]) === undefined)
  if (names.length === 0) return names
  const { roles, moreRoles, scopes } = profile.claims
  const wasToBeReadFrom = (paths: readonly ClaimPath[]): boolean =>
    paths.some(([top = '']) => names.includes(top)) && firstClaim(claims, paths) === undefined
  return [
    ...new Set([
      ...names,
      ...(wasToBeReadFrom([...roles, ...moreRoles]) ? ['roles'] : []),
      ...(wasToBeReadFrom(scopes) ? ['scopes'] : []),
    ]),
  ]
}

function firstClaim(claims: Claims, paths: readonly ClaimPath[]): unknown {
  for (const path of paths) {
    const value = readClaim(claims, path)
    if (value !== undefined) return value
  }
  return undefined
}

/** Absent is fine here; present it must be text that can be written into a header. */
function readText(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.length > maxTextLength) {
    throw new ClaimFault(`the ${name} is not a string of 1 to ${maxTextLength} characters`)
  }
  return writable(name, value)
}

/** @param separator splits a single string; without it a string is one entry */
function readList(name: string, value: unknown, separator?: string): readonly string[] {
  if (value === undefined) return []
  const entries: unknown[] =
    typeof value !== 'string'
      ? listOf(name, value)
      : separator === undefined
        ? [value]
        : value.split(separator)
  const list = new Set<string>()
  for (const entry of entries) {
    if (typeof entry !== 'string') throw new ClaimFault(`the ${name} hold something that is no string`)
    if (entry !== '') list.add(writable(name, entry))
  }
  if (list.size > maxListLength) throw new ClaimFault(`more than ${maxListLength} ${name}`)
  return [...list]
}

function listOf(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new ClaimFault(`the ${name} are neither a string nor a list`)
  return value
}

/**
 * Control characters could end a header line or hide in a log; half a surrogate pair cannot be encoded as UTF-8 at all.
 */
function writable(name: string, value: string): string {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed()) {
    throw new ClaimFault(`the ${name} hold a character that cannot be passed on`)
  }
  return value
}

/** Shared by every request of one cached token: nobody may change it for the others. Depth is bounded by the parser. */
function freezeDeep<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) freezeDeep(inner as object)
  }
  return Object.freeze(value)
}
