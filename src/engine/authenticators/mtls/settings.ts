import type { AuthenticatorSettings } from '../settings.ts'
import type { TrustSettings } from '../../certificates/trust.ts'

export const subjectKinds = ['san-uri', 'san-dns', 'san-email', 'cn', 'fingerprint'] as const
export type SubjectKind = (typeof subjectKinds)[number]

export interface MtlsSettings extends AuthenticatorSettings {
  readonly type: 'mtls'
  readonly trust: TrustSettings
  readonly subject: SubjectKind
  /** Patterns, one of which the subject must match; undefined: any subject. */
  readonly allow?: readonly string[]
  /** Where a proxy in front hands the certificate over. */
  readonly from?: ForwardedFrom
  readonly ocsp?: OcspSettings
}

export const forwardedHeaders = ['client-cert', 'xfcc'] as const
export type ForwardedHeader = (typeof forwardedHeaders)[number]

export interface ForwardedFrom {
  readonly header: ForwardedHeader
  /** Address ranges of the proxies that are believed. */
  readonly peers: readonly string[]
}

export interface OcspSettings {
  /** Undefined: where the certificate itself says. */
  readonly url?: string
  /** False: a responder that cannot be reached, or does not know, is no refusal. */
  readonly required: boolean
  /** Milliseconds. */
  readonly timeout: number
}

export function isMtls(settings: AuthenticatorSettings | undefined): settings is MtlsSettings {
  return settings?.type === 'mtls'
}

/** Vouches for all identities that client certificates prove: the gateway itself, by the authorities that it was given. */
export const mtlsIssuer = 'urn:portcullis:mtls'
