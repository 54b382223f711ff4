// Tokens without a browser: what the token endpoint would have issued, signed with the same keys.
import { randomUUID } from 'node:crypto'
import { SignJWT, importJWK } from 'jose'
import { signingKey } from './keys.ts'
import type { SigningAlgorithm, SigningKeys } from './keys.ts'
import { readState } from './state.ts'
import type { DevUser } from './users.ts'

/** How a minted token differs from the user's usual one. */
export interface TokenOverrides {
  /** Default: the provider's audience; for an ID token the client. */
  readonly audience?: string | readonly string[]
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  /** Default `web`. */
  readonly clientId?: string
  /** Seconds from now; negative for a token that has expired. */
  readonly expiresIn?: number
  /** Default `RS256`. */
  readonly alg?: SigningAlgorithm
  /** Further claims, or other values for the usual ones. An undefined value leaves the claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** How a minted ID token differs from the usual one. */
export interface IdTokenOverrides extends Omit<TokenOverrides, 'scopes'> {
  readonly nonce?: string
}

/** What a token is made of, apart from the user. */
export interface Mint {
  readonly issuer: string
  readonly audience: string
  /** Seconds. */
  readonly lifetime: number
  readonly keys: SigningKeys
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Person = Omit<DevUser, 'password'>

/**
 * Signs an access token.
 *
 * @see RFC 9068 section 2
 */
export function mintAccessToken(mint: Mint, user: Person, overrides: TokenOverrides = {}): Promise<string> {
  const scopes = overrides.scopes ?? user.scopes
  return sign(mint, 'at+jwt', overrides, {
    ...user.claims,
    roles: overrides.roles ?? user.roles,
    jti: randomUUID(),
    sub: user.name,
    scope: scopes.length > 0 ? scopes.join(' ') : undefined,
    client_id: overrides.clientId ?? 'web',
    aud: overrides.audience ?? mint.audience,
  })
}

/**
 * Signs an ID token.
 *
 * @see OpenID Connect Core 1.0 section 2
 */
export function mintIdToken(mint: Mint, user: Person, overrides: IdTokenOverrides = {}): Promise<string> {
  return sign(mint, 'JWT', overrides, {
    ...user.claims,
    roles: overrides.roles ?? user.roles,
    preferred_username: user.name,
    sub: user.name,
    nonce: overrides.nonce,
    auth_time: Math.floor(mint.now() / 1000),
    aud: overrides.audience ?? overrides.clientId ?? 'web',
  })
}

/**
 * Signs an access token with what a state file holds, whether or not its provider is running.
 *
 * @throws {Error} if the file is missing or incomplete, or knows no such user
 */
export async function mintFromState(
  file: string,
  userName: string,
  overrides: TokenOverrides & { readonly now?: () => number } = {},
): Promise<string> {
  const state = await readState(file)
  if (state === undefined) throw new Error(`there is no identity provider state at ${file}`)
  const { issuer, audience, accessTokenLifetime: lifetime, users, signingKeys: keys } = state
  if (issuer === undefined || audience === undefined || lifetime === undefined || users === undefined) {
    throw new Error(`the identity provider state at ${file} has no issuer yet: start the provider once`)
  }
  const mint = { issuer, audience, lifetime, keys, now: overrides.now ?? Date.now }
  return mintAccessToken(mint, findUser(users, userName), overrides)
}

/** @throws {Error} naming the users that exist */
export function findUser<User extends Person>(users: readonly User[], name: string): User {
  const user = users.find((candidate) => candidate.name === name)
  if (user !== undefined) return user
  throw new Error(
    `unknown user "${name}": expected one of ${users.map((candidate) => candidate.name).join(', ')}`,
  )
}

async function sign(
  mint: Mint,
  typ: string,
  overrides: TokenOverrides,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const key = signingKey(mint.keys, overrides.alg ?? 'RS256')
  const iat = Math.floor(mint.now() / 1000)
  const exp = iat + (overrides.expiresIn ?? mint.lifetime)
  const payload: Record<string, unknown> = {
    ...claims,
    iss: mint.issuer,
    iat: Math.min(iat, exp),
    exp,
    ...overrides.claims,
  }
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.alg, typ, kid: key.kid })
    .sign(await importJWK(key, key.alg))
}
