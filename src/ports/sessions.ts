/**
 * Browser sessions at rest. A store never sees a cookie (only its digest) or a token (only what is sealed), and each verb is
 * one atomic step, so that a logout cannot be undone by a refresh that began before it.
 */
export interface SessionRecord {
  /** SHA-256 of the cookie's value, 64 lower-case hexadecimal digits. */
  readonly digest: string
  /** The name under which the session may be told of; it opens nothing. */
  readonly id: string
  /** The authenticator and provider that made it, by their names in the configuration. */
  readonly authenticator: string
  readonly provider: string
  /** The public origin on which it counts. */
  readonly origin: string
  /** `iss`, `sub` and `sid` of the ID token: what a logout token names. */
  readonly issuer: string
  readonly sub: string
  readonly sid?: string
  /** The identity's subject; often `sub` itself. */
  readonly subject: string
  /** Times are milliseconds since the epoch. */
  readonly createdAt: number
  /** When it ends however much it is used. */
  readonly expiresAt: number
  /** Milliseconds that it lives unused. */
  readonly idle: number
  readonly seenAt: number
  /** Tokens and claims, sealed for this digest. */
  readonly content: Uint8Array
  /** Moves with each change of `content`. */
  readonly revision: number
}

/** Which sessions are meant: one by its cookie or name, or all that a provider calls by a session or subject of its own. */
export type SessionSelector =
  | { readonly digest: string }
  | { readonly id: string }
  | { readonly issuers: readonly string[]; readonly sid: string }
  | { readonly issuers: readonly string[]; readonly sub: string }

export interface LogoutToken {
  readonly issuers: readonly string[]
  /** With `sid` that session, with `sub` alone all. */
  readonly sid?: string
  readonly sub?: string
  /** Names the token, in one space for all issuers; it is used once. */
  readonly name: string
  /** Until when it could be presented again. */
  readonly until: number
}

export type Lease =
  /** The record as it stands now: whoever held the lease before may have changed it. */
  | { readonly outcome: 'taken'; readonly record: SessionRecord }
  | { readonly outcome: 'held'; readonly until: number }
  | { readonly outcome: 'gone' }

/**
 * How long a provider session that was logged out cannot begin a session here, in milliseconds: longer than a login takes from
 * its code to its cookie.
 */
export const logoutGrace = 120_000

export interface SessionStore {
  find(digest: string): SessionRecord | undefined | Promise<SessionRecord | undefined>
  /**
   * Inserts a session, and ends the one that the same browser had before. Refused when the provider's session was logged out
   * while the login was under way.
   * @returns the sessions that it replaced; undefined: refused, nothing changed
   */
  create(
    record: SessionRecord,
    facts: { readonly replaces?: readonly string[]; readonly now: number },
  ): Promise<readonly SessionRecord[] | undefined>
  /** Writes times of use in one batch; never moves one backwards. */
  touch(uses: readonly { readonly digest: string; readonly at: number }[]): Promise<void>
  /** Takes the right to refresh the session's tokens, unless another holder has it until later than `now`. */
  acquireLease(digest: string, holder: string, now: number, until: number): Promise<Lease>
  /** `false` when the lease was lost, or the session is gone. */
  renewLease(digest: string, holder: string, until: number): Promise<boolean>
  releaseLease(digest: string, holder: string): Promise<void>
  /** Replaces the content and gives the lease back. `lost`: another holder has the lease; nothing changed. */
  update(digest: string, holder: string, content: Uint8Array): Promise<'updated' | 'lost' | 'gone'>
  /** @returns the sessions that this call ended: each is told to exactly one caller */
  end(selector: SessionSelector): Promise<readonly SessionRecord[]>
  /**
   * Ends what a provider's logout token names, and remembers the token. A login of that provider session that is still under
   * way will be refused.
   * @returns the sessions ended; undefined when the token was used before
   */
  endByLogoutToken(token: LogoutToken, now: number): Promise<readonly SessionRecord[] | undefined>
  /** Remembers what may be used once, such as a login attempt. @returns true exactly once for each name until then */
  use(name: string, until: number): Promise<boolean>
  /** Sessions of one subject, oldest first; without an issuer those of any. */
  list(of: {
    readonly issuer?: string
    readonly subject: string
    readonly limit: number
  }): Promise<readonly SessionRecord[]>
  /** Ends what has expired or idled out, and forgets what need not be remembered any more. At most `limit` sessions. */
  prune(now: number, limit: number): Promise<readonly SessionRecord[]>
}
