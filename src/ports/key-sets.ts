import type { KeyObject } from 'node:crypto'

/** A published key, imported once, with what its JWK says of its use. */
export interface VerificationKey {
  readonly key: KeyObject
  readonly kid?: string
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
  /** The `alg` that the publisher bound it to. */
  readonly alg?: string
  /** Entra: the issuer that this key signs for. */
  readonly issuer?: string
}

export type KeyLookup =
  | { readonly outcome: 'found'; readonly key: VerificationKey; readonly generation: number }
  /** The set is fresh (or in its cool-down) and has no such key, or several fit the token. */
  | { readonly outcome: 'unknown' }
  /** The `kid` is published, for another algorithm or use. */
  | { readonly outcome: 'unfit' }
  /** Nothing usable is cached and the provider cannot be reached. `retryAfter` in milliseconds. */
  | { readonly outcome: 'unavailable'; readonly retryAfter: number }

/** One provider's published keys and their life: fetched, refreshed, kept stale, refetched for an unknown `kid`. */
export interface KeySet {
  /**
   * Finds the one key that can have made a signature with `alg` (and `kid`, when the token names one).
   * A value when the cache answers, a promise only when a fetch is needed.
   */
  find(selector: { readonly kid?: string; readonly alg: string }): KeyLookup | Promise<KeyLookup>
  /** Moves when the set's content changes: a verified-token cache entry holds the generation it was checked under. */
  readonly generation: number
  /** True while the key, found under an older generation, is still in the current set. */
  holds(key: VerificationKey): boolean
}
