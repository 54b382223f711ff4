import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { Challenge } from '../challenge.ts'
import type { CredentialPlace } from '../identity.ts'
import type { Outcome, Verified } from '../outcome.ts'
import type { GatewayRequest } from '../request.ts'

/** One credential as it was found: the raw value (scheme taken off) and its place. */
export interface Presented {
  readonly value: string
  readonly place: CredentialPlace
  /** The scheme that came with it, as written, when the place is an `authorization`-like header with a scheme. */
  readonly scheme?: string
  /** With a place of kind `certificate`; `value` is then its fingerprint. */
  readonly certificate?: ClientCertificate
}

/**
 * A configured way to turn a credential into an identity. It answers *absent* by not taking the value (a session, which must
 * be looked up for that, by its outcome), otherwise *verified* or *rejected*; rejected ends the search.
 * To add one: a folder beside this file, and one line in `registry.ts`.
 */
export interface Authenticator {
  /** The name in the configuration; the identity's `method`. */
  readonly name: string
  /** `api-key`, `jwt`, …: the identity's `amr`. */
  readonly type: string
  readonly places: readonly CredentialPlace[]
  /** How a client is told that this is a way in, in the order in which they are told. */
  readonly challenges: readonly Challenge[]
  /** Where what it guards is described (RFC 9728): told in every challenge. */
  readonly resourceMetadata?: string
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
  recall(presented: Presented, request: GatewayRequest): Outcome | undefined
  /** Proves the credential. A promise only where a store or the network must be asked. */
  verify(presented: Presented, request: GatewayRequest): Outcome | Promise<Outcome>
  /**
   * Holds a verified credential to the key that it is bound to; asked for each request, also where the credential itself is
   * known from memory. Without it, a credential that is bound to a key is refused.
   */
  readonly binding?: Binding
  /**
   * Whether what was proven when a stream began still stands, where it cannot be proven again from the same request (a
   * signature with a nonce). Without it: `recall`, and `verify` where that knows nothing.
   */
  stands?(proven: Verified): Outcome | Promise<Outcome>
  /**
   * The token that a provider takes in exchange for one that is meant for a backend: what was presented, or what the
   * credential stands for. Undefined where there is none.
   */
  subjectToken?(
    proven: Verified,
    presented: Presented,
  ): SubjectToken | undefined | Promise<SubjectToken | undefined>
}

/** @see RFC 8693 section 3 */
export interface SubjectToken {
  readonly token: string
  readonly type: 'access_token' | 'id_token'
  /** Milliseconds since the epoch, where it ends before the credential does. */
  readonly expiresAt?: number
}

/** What an authenticator demands of the proof of possession that comes with its tokens. */
export interface Binding {
  readonly mode: 'none' | 'optional' | 'required' | 'dpop' | 'mtls'
  /** Judges the proof that came with a verified token; `presented` says by which scheme the token came. */
  judge(verified: Verified, presented: Presented, request: GatewayRequest): Outcome | Promise<Outcome>
}
