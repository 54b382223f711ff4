/** What is sealed away for a session: its tokens, and what the identity is made from. */
import type { Claims } from '../providers/profile.ts'
import type { Vault } from './vault.ts'

export interface SessionContent {
  /** Of the ID token, with what `claimsFrom` added. */
  readonly claims: Claims
  /** Of the token answer. */
  readonly scopes: readonly string[]
  /** The client that the gateway was at the login. */
  readonly client: string
  /** The newest one: `id_token_hint` of a logout. */
  readonly idToken: string
  readonly accessToken: string
  /** Milliseconds since the epoch, by our clock; absent where the provider does not say. */
  readonly accessExpiresAt?: number
  /** How long the access token lived when it was new, in milliseconds: how far ahead it is refreshed. */
  readonly accessLifetime?: number
  readonly refreshToken?: string
  /** The route for which the user was sent back to the provider last: not again before something changed. */
  readonly steppedUpFor?: string
}

export async function sealContent(
  vault: Pick<Vault, 'seal'>,
  digest: string,
  content: SessionContent,
): Promise<Uint8Array> {
  return vault.seal(JSON.stringify(content), contextOf(digest))
}

/** @returns undefined when the content does not open, or is another session's */
export function openContent(
  vault: Pick<Vault, 'open'>,
  digest: string,
  sealed: Uint8Array,
): SessionContent | undefined | Promise<SessionContent | undefined> {
  const text = vault.open(sealed, contextOf(digest))
  return text instanceof Promise ? text.then(parse) : parse(text)
}

/** What was sealed here was written here: its form is not checked again. */
function parse(text: string | undefined): SessionContent | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as SessionContent)
}

function contextOf(digest: string): string {
  return `session ${digest}`
}
