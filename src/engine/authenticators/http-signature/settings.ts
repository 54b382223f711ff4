import type { CredentialPlace } from '../../identity.ts'
import type { Secret } from '../../secret.ts'
import type { AuthenticatorSettings } from '../settings.ts'
import type { SignatureAlgorithm } from './algorithms.ts'

export interface HttpSignatureSettings extends AuthenticatorSettings {
  readonly type: 'http-signature'
  readonly keys: readonly SignatureKeySettings[]
  /** What every signature must cover, as written; with a body `content-digest` too, listed or not. */
  readonly components: readonly string[]
  /** Milliseconds. */
  readonly maxAge: number
  /** Only signatures with this tag count. */
  readonly tag?: string
}

export interface SignatureKeySettings {
  /** What the caller names as `keyid`. */
  readonly id: string
  readonly algorithm: SignatureAlgorithm
  /** PEM of a public key or certificate; of `hmac-sha256` the shared secret. */
  readonly key: Secret
  /** The subject of the identity. */
  readonly owner: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly tenant?: string
}

/** The issuer of identities that signatures prove. */
export const signatureIssuer = 'urn:portcullis:http-signature'

/** Two fields are one credential: this one says whose it is, and its lines are one list. */
export const signaturePlace: CredentialPlace = Object.freeze({
  kind: 'header',
  name: 'signature-input',
  companion: 'signature',
})

/** Both fields are the caller's credential, and nothing for backends. */
export const signaturePlaces: readonly CredentialPlace[] = Object.freeze([
  signaturePlace,
  Object.freeze({ kind: 'header', name: 'signature' }),
])
