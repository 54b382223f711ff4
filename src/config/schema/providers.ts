/** Identity providers: what each type is told, and what all of them take. */
import { z } from 'zod'
import type { ClaimPath, ProviderType } from '../../configuration.ts'
import { path, text } from '../scalars/names.ts'
import { hostname, httpUrl } from '../scalars/network.ts'
import { delay, duration } from '../scalars/quantities.ts'
import { flag, word } from './word.ts'

export const endpointNames = [
  'jwks',
  'authorization',
  'token',
  'introspection',
  'revocation',
  'endSession',
] as const
export type EndpointName = (typeof endpointNames)[number]

/** The types that a later version brings. */
export type LaterProviderType = 'github-actions' | 'kubernetes' | 'spiffe'

/** What every provider has beside its type's own members (which are text, or absent). */
export interface ParsedProvider {
  readonly type: ProviderType | LaterProviderType
  readonly discovery: boolean
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>
  readonly ca?: string
  readonly clockSkew: number
  readonly staleKeys: number
  readonly claims: Readonly<Partial<Record<'subject' | 'client' | 'scopes' | 'roles' | 'tenant', ClaimPath>>>
  readonly allowInsecure: boolean
  readonly [member: string]: unknown
}

const claimPathText =
  'a claim: its name (dots go deeper: realm_access.roles), or a list of names from the top'

/** A claim: dotted, or a list of names where a name has a dot itself. */
const claimPath: z.ZodType<ClaimPath> = z
  .union(
    [
      z.string({ error: claimPathText }).regex(/^[^.]+(\.[^.]+)*$/, { error: claimPathText }),
      z.array(z.string().min(1, { error: 'the name of a claim' })).min(1, { error: claimPathText }),
    ],
    { error: claimPathText },
  )
  .transform((value) => (typeof value === 'string' ? value.split('.') : value))

const endpoint = (what: string) => word(httpUrl).exactOptional().describe(what)

const endpoints = {
  jwks: endpoint('The key set.'),
  authorization: endpoint('Where browsers sign in.'),
  token: endpoint('Where tokens are issued.'),
  introspection: endpoint('Where tokens are looked up.'),
  revocation: endpoint('Where tokens are revoked.'),
  endSession: endpoint('Where browsers sign out.'),
}

const common = {
  discovery: flag
    .prefault(true)
    .describe(
      "Whether the provider's endpoints are read from its metadata. With `false` they are given under `endpoints`.",
    ),
  endpoints: z
    .strictObject(endpoints)
    .prefault({})
    .describe(
      'Endpoints given by hand; each wins over a discovered one. They may also stand directly on the provider.',
    ),
  ...endpoints,
  ca: word(path).exactOptional().describe("PEM file with the authorities of the provider's certificate."),
  clockSkew: word(delay).prefault('30s').describe("How far the provider's clock may be off."),
  staleKeys: word(duration).prefault('24h').describe('How long known keys serve while the provider is away.'),
  claims: z
    .strictObject({
      subject: claimPath.exactOptional().describe('Who the caller is. Without it: `sub`.'),
      client: claimPath
        .exactOptional()
        .describe('Which application. Without it: the first of `client_id`, `azp`, `appid`, `cid`.'),
      scopes: claimPath.exactOptional().describe('Without it: `scope` or `scp`.'),
      roles: claimPath
        .exactOptional()
        .describe("Without it: `roles`, Keycloak's `realm_access.roles`, Cognito's `cognito:groups`."),
      tenant: claimPath.exactOptional().describe("Without it: Entra's `tid`."),
    })
    .prefault({})
    .describe('Which claims say what, where the type does not know it already.'),
  allowInsecure: flag.prefault(false).describe('Allows `http://` to a provider that is not on this machine.'),
}

function provider(type: string, says: string, own: Record<string, z.ZodType> = {}): z.ZodObject {
  return z.strictObject({ type: z.literal(type).describe(says), ...own, ...common })
}

const providers = [
  provider('oidc', 'Any OpenID Connect or OAuth 2 issuer.', {
    issuer: word(httpUrl).describe('The issuer, exactly as it stands in `iss`.'),
  }),
  provider('auth0', 'Auth0.', {
    domain: word(hostname).describe('The tenant, such as example.eu.auth0.com.'),
  }),
  provider('okta', 'Okta.', {
    domain: word(hostname).describe('The organisation, such as example.okta.com.'),
    authorizationServer: word(text)
      .exactOptional()
      .describe('The id of a custom authorization server, such as `default`.'),
  }),
  provider('cognito', 'Amazon Cognito.', {
    region: word(text).describe('The region, such as eu-central-1.'),
    userPoolId: word(text).describe('The user pool, such as eu-central-1_AbCdEfGhI.'),
  }),
  provider('entra', 'Microsoft Entra ID.', { tenant: word(text).describe("The tenant's id.") }),
  provider('keycloak', 'Keycloak.', {
    url: word(httpUrl).describe('Where Keycloak is served, without `/realms/…`.'),
    realm: word(text).describe('The realm.'),
  }),
  provider('google', 'Google.'),
  provider('github-actions', "GitHub's workload identities."),
  provider('kubernetes', "A cluster's service accounts.", {
    issuer: word(httpUrl).exactOptional().describe("The cluster's issuer."),
  }),
  provider('spiffe', 'A SPIFFE trust domain.', {
    trustDomain: word(hostname).exactOptional().describe('The trust domain.'),
    bundle: word(httpUrl).exactOptional().describe('Where its bundle is served.'),
  }),
] as const

export const providerSchema: z.ZodType<ParsedProvider> = z.discriminatedUnion(
  'type',
  providers,
) as unknown as z.ZodType<ParsedProvider>
