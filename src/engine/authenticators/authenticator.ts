import type { CredentialPlace } from '../identity.ts'
import type { Outcome } from '../outcome.ts'

/** One credential as it was found: the raw value (scheme taken off) and its place. */
export interface Presented {
  readonly value: string
  readonly place: CredentialPlace
  /** The scheme that came with it, as written, when the place is an `authorization`-like header with a scheme. */
  readonly scheme?: string
}

/**
 * A configured way to turn a credential into an identity. It answers *absent* by not taking the value,
 * otherwise *verified* or *rejected*; rejected ends the search.
 * To add one: a folder beside this file, and one line in `registry.ts`.
 */
export interface Authenticator {
  /** The name in the configuration; the identity's `method`. */
  readonly name: string
  /** `api-key`, `jwt`, …: the identity's `amr`. */
  readonly type: string
  readonly places: readonly CredentialPlace[]
  /**
   * How well the value's shape fits, before anything is verified; nothing here may cost a hash or a signature.
   * `no`: another authenticator may take it. `yes`: this one judges it. `maybe`: takes what nobody else wants
   * (an imported key may have any form).
   */
  takes(presented: Presented): 'yes' | 'maybe' | 'no'
  /** Where several may take a token by its issuer: whether its unverified `aud` names an audience of this one. */
  fitsAudience?(presented: Presented): boolean
  /**
   * The answer for a credential that was verified before and is still good, from memory: no hash, no signature, no promise.
   * Judges deadline, key life and revocation anew. Undefined when it must be verified.
   */
  recall(presented: Presented): Outcome | undefined
  /** Proves the credential. A promise only where a store or the network must be asked. */
  verify(presented: Presented): Outcome | Promise<Outcome>
}
