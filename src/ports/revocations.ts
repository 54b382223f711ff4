export const revocationKinds = ['jti', 'subject', 'client', 'session', 'certificate', 'issuer'] as const
export type RevocationKind = (typeof revocationKinds)[number]

/** One standing refusal. `subject`, `client`, `certificate` and `issuer` need `issuer`; times are milliseconds since the epoch. */
export interface Revocation {
  readonly kind: RevocationKind
  readonly issuer?: string
  /** What is revoked; absent for `issuer`. */
  readonly value?: string
  /** Credentials issued at or before this instant are refused, and those without an issue time. */
  readonly at: number
  /** Also refuses what is issued later. */
  readonly permanent: boolean
  /** When the entry can no longer matter (a jti's `exp`); absent means never. */
  readonly expiresAt?: number
  readonly reason?: string
  readonly createdAt: number
}

export interface RevocationStore {
  /** Durable when it resolves. The same kind, issuer and value: the later `at` and the stronger `permanent` win. */
  add(revocation: Revocation): Promise<void>
  /**
   * Bounds what refuses later credentials too (a permanent entry, or one whose `at` is still to come): from now on it refuses
   * what was issued at or before `now`. It is the only change that weakens an entry. `false` where there is nothing to bound.
   */
  bound(entry: Pick<Revocation, 'kind' | 'issuer' | 'value'>, now: number): Promise<boolean>
  /** The whole live set, oldest first. */
  list(): Promise<readonly Revocation[]>
  /** What was added or changed after the cursor, and the next cursor; 0 begins. A list of a million is read once, not at each change. */
  since(cursor: number): Promise<{ readonly revocations: readonly Revocation[]; readonly cursor: number }>
  /** Drops entries whose `expiresAt` has passed. */
  prune(now: number): Promise<void>
}

/** What the engine asks on every request: answered from memory. */
export interface RevocationCheck {
  /** @returns true when any standing revocation covers these facts */
  isRevoked(facts: RevocationFacts): boolean
}

export interface RevocationFacts {
  readonly issuer: string
  readonly subject: string
  readonly client?: string
  readonly jti?: string
  readonly session?: string
  readonly certificate?: string
  /** Milliseconds since the epoch, already less the provider's clock skew; absent when the credential does not say. */
  readonly issuedAt?: number
}
