/** What a provider is configured with: validated, durations in milliseconds, paths absolute. */

export const providerTypes = [
  'oidc',
  'auth0',
  'okta',
  'cognito',
  'entra',
  'keycloak',
  'google',
  'github-actions',
  'kubernetes',
  'spiffe',
] as const
export type ProviderType = (typeof providerTypes)[number]

/** A claim path: names from the top, one for each level. */
export type ClaimPath = readonly string[]

export interface ProviderSettings {
  readonly name: string
  readonly type: ProviderType
  /** The profile's own members: issuer, domain, tenant, realm, trustDomain, …; paths are absolute. */
  readonly parameters: Readonly<Record<string, string>>
  /** The profile's own allow-lists: tenants, organizations, repositories, …; none of them empty. */
  readonly lists?: Readonly<Record<string, readonly string[]>>
  readonly discovery: boolean
  /** Explicit endpoints; each wins over a discovered one. */
  readonly endpoints: Readonly<Record<string, string>>
  /** Path of a PEM file with the provider's certificate authorities. */
  readonly ca?: string
  readonly clockSkew: number
  readonly staleKeys: number
  readonly claims: {
    readonly subject?: ClaimPath
    readonly client?: ClaimPath
    readonly scopes?: ClaimPath
    readonly roles?: ClaimPath
    readonly tenant?: ClaimPath
  }
  readonly allowInsecure: boolean
}
