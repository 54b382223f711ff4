import type { ContentDigests } from './content-digest.ts'

/** The verified caller: who, vouched for by whom, and how it was proven. Frozen once made; shared by all requests of one cached credential. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  readonly client?: string
  readonly tenant?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** All claims of the credential (a key's metadata), for `authorize.claims` and `when`. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The authenticator's name; with `all` the names, comma-separated. */
  readonly method: string
  /** Authenticator types, in order. */
  readonly amr: readonly string[]
  /** RFC 8693 `act`, where someone acts for another. */
  readonly actor?: unknown
  /**
   * Claims that the provider has and did not send (more groups than fit into a token), and the parts of the identity that
   * are read from them (`roles`, `scopes`): nobody can tell what is not in them. Absent where nothing was withheld.
   */
  readonly withheld?: readonly string[]
}

/** What is known of the credential that proved an identity, beside who it is. Never the credential itself. */
export interface CredentialFacts {
  readonly kind: string
  /** A key's id, a token's `jti`. */
  readonly id?: string
  /** Milliseconds since the epoch at which the credential stops being good; Infinity when it does not. */
  readonly expiresAt: number
  /** Milliseconds since the epoch, less the provider's clock skew. */
  readonly issuedAt?: number
  /** Where it was read: decides the Origin rule (cookies and Basic travel without the page's intent). */
  readonly place: CredentialPlace
  /** Of a key that was shown beside another credential, which gives `kind` and `id`: whose limits these are. */
  readonly keyId?: string
  /** A key's own limits; enforced after the proof. */
  readonly allowedIps?: readonly string[]
  readonly allowedRoutes?: readonly string[]
  readonly rateLimit?: string
  /** The key that the credential is bound to, if any: whoever presents it must prove to hold that key. */
  readonly confirmation?: Confirmation
  /** Where an authenticator wants it told: the provider's session (`sid`) or our own. */
  readonly session?: string
  /** The route for which the user was last sent back to sign in more strongly. */
  readonly steppedUpFor?: string
  /** Field lines for the answer, flat: a fresh `DPoP-Nonce`. */
  readonly answerFields?: readonly string[]
  /** What the content must be: it is checked before any of it is passed on, and its absence too. */
  readonly contentDigests?: ContentDigests
  /** Of a key in grace or within 14 days of its end: the RFC 3339 time for `Portcullis-Key-Expires`. */
  readonly expiryNotice?: string
}

/** Where an authenticator reads its credential. Header names are lower-case. */
export type CredentialPlace =
  | {
      readonly kind: 'header'
      readonly name: string
      readonly scheme?: string
      /** A second field that makes up the credential together with this one; the lines of each are then one list. */
      readonly companion?: string
    }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'certificate'; readonly name: 'client' }

/**
 * What a credential says of the key that it is bound to. An empty one (nothing that we know how to check) can never be met.
 * @see RFC 7800 section 3, RFC 8705 section 3.1, RFC 9449 section 6.1
 */
export interface Confirmation {
  /** JWK SHA-256 thumbprint, base64url, of the key that signs DPoP proofs. */
  readonly jkt?: string
  /** SHA-256 of the client certificate (DER), base64url. */
  readonly x5tS256?: string
  /** A member that nothing here can check. */
  readonly unknown?: string
}
