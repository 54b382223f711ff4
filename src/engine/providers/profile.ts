/** What a provider's tokens look like and mean. One profile for each configured provider, made by `registry.ts`. */
import type { ClaimPath, ProviderSettings, ProviderType } from './settings.ts'

/** A token's payload as it was parsed. */
export type Claims = Readonly<Record<string, unknown>>

/** Where each part of an identity is read: alternatives in order, the first that is present counts. */
export interface ClaimPaths {
  readonly subject: readonly ClaimPath[]
  readonly client: readonly ClaimPath[]
  readonly scopes: readonly ClaimPath[]
  readonly roles: readonly ClaimPath[]
  readonly tenant: readonly ClaimPath[]
  /** Roles that are added to those, from each of these places; none where the settings say where roles are. */
  readonly moreRoles: readonly ClaimPath[]
}

/** Whose tokens a provider takes where neither its settings nor a route say more; for `check`. */
export interface Openness {
  readonly severity: 'error' | 'warning'
  /** "every repository on GitHub". */
  readonly whose: string
  /** How a stranger comes by a token: a clause. */
  readonly how: string
  /** Claims, dotted, by which a route's condition keeps strangers out. */
  readonly claims: readonly string[]
  /** Members of the settings that do. */
  readonly members: readonly string[]
  /** True where the client of the identity is who calls, so that an authenticator's `clients` do as well. */
  readonly namesClient?: true
}

export interface Profile {
  readonly type: ProviderType
  /** The provider's name in the configuration. */
  readonly name: string
  /** Each exact issuer; of a multi-tenant provider the templates, with `{tenantid}`. The first is the main one. */
  readonly issuers: readonly string[]
  /** Milliseconds. */
  readonly clockSkew: number
  readonly claims: ClaimPaths
  /** Where the metadata document is (an issuer-like base), and the issuer that it must name. */
  readonly metadata: { readonly at: string; readonly issuer: string }
  /** Of the key set, where it is known without discovery: a URL, or the absolute path of a file. */
  readonly keysAddress?: string
  /** `address`: whatever metadata says, or that there is none, the keys are at `keysAddress`. */
  readonly keysFrom: 'metadata' | 'address'
  /** What a published key's `use` says of those that sign tokens. */
  readonly keyUse: 'sig' | 'jwt-svid'
  /** File with a bearer token that is shown to this origin alone when keys are read. */
  readonly keysCredential?: { readonly file: string; readonly origin: string }
  /** Path of a PEM file with the provider's authorities, where the settings name none. */
  readonly ca?: string
  /** What its tokens may be signed with, where that is less than what an authenticator takes. */
  readonly algorithms?: readonly string[]
  /** Set where far more callers can get such tokens than anybody means to let in. */
  readonly openTo?: Openness
  /** Why nobody but the provider can tell whether its access tokens are good; undefined where their signature tells. */
  readonly opaqueBecause?: string
  /**
   * What stands for the audience when none is configured: `clients` where access tokens name the client instead;
   * `required` where there is no such rule.
   */
  readonly audienceRule: 'required' | 'clients'
  /** Who issued a token by its own words: `iss`, or what plays its part. Undefined when it does not say. */
  issuerOf(claims: Claims): string | undefined
  /** True when tokens of this issuer are this provider's. */
  acceptsIssuer(issuer: string): boolean
  /** The issuer and its other published forms: a revocation under one holds for all. */
  sameIssuers(issuer: string): readonly string[]
  /** Says what contradicts the issuer in the other claims; undefined when nothing does. */
  issuerFault(claims: Claims): string | undefined
  /** Says why the settings' allow-lists (tenants, organisations, repositories, …) do not take the bearer. */
  admissionFault(claims: Claims): string | undefined
  /** Whether a key that is published for `keyIssuer` alone may sign for the token's issuer. */
  keySignsFor(keyIssuer: string, claims: Claims): boolean
  /** True for an audience that is a client's id, which this provider's ID tokens would carry as well. */
  isClientId(audience: string): boolean
  /** The provider's own marks of tokens that are not access tokens; `acceptsIdTokens` is the authenticator's choice. */
  kindFault(claims: Claims, acceptsIdTokens: boolean): string | undefined
  /** What plays the part of `jti`. */
  tokenId(claims: Claims): unknown
  /** The client an accepted ID token was made for, where no client claim says so. */
  clientOfIdToken(claims: Claims): unknown
  /** Names of claims that the provider holds, says so, and did not send. */
  withheldClaims(claims: Claims): readonly string[]
}

/** One provider type: its profile, and what in its settings cannot work. */
export interface ProviderKind {
  profile(settings: ProviderSettings): Profile
  /** @returns what is wrong, in words for whoever wrote the configuration; undefined when nothing is */
  configurationFault(settings: ProviderSettings): string | undefined
}

type OwnPart = Pick<Profile, 'issuers'> &
  Partial<Omit<Profile, 'type' | 'name' | 'issuers' | 'clockSkew' | 'claims'>> & {
    readonly claims?: Partial<ClaimPaths>
  }

const plainClaims: ClaimPaths = {
  subject: [['sub']],
  client: [['client_id'], ['azp'], ['appid'], ['cid']],
  scopes: [['scope'], ['scp']],
  roles: [['roles']],
  tenant: [],
  moreRoles: [],
}

/** Fills in what a plain OpenID provider does. Claim paths of the settings win over the profile's. */
export function defineProfile(settings: ProviderSettings, own: OwnPart): Profile {
  const [main = ''] = own.issuers
  const issuers = new Set(own.issuers)
  return Object.freeze({
    metadata: { at: main, issuer: main },
    keysFrom: 'metadata',
    keyUse: 'sig',
    issuerOf: ({ iss }: Claims) => (typeof iss === 'string' ? iss : undefined),
    admissionFault: () => undefined,
    withheldClaims: distributedClaims,
    audienceRule: 'required',
    acceptsIssuer: (issuer: string) => issuers.has(issuer),
    sameIssuers: (issuer: string) => [issuer],
    issuerFault: () => undefined,
    keySignsFor: (keyIssuer: string, { iss, tid }: Claims) =>
      (typeof tid === 'string' ? keyIssuer.replaceAll('{tenantid}', () => tid) : keyIssuer) === iss,
    isClientId: () => false,
    kindFault: () => undefined,
    tokenId: (claims: Claims) => claims['jti'],
    clientOfIdToken: () => undefined,
    ...own,
    type: settings.type,
    name: settings.name,
    clockSkew: settings.clockSkew,
    claims: claimPaths(settings, own.claims),
  } satisfies Profile)
}

function claimPaths(settings: ProviderSettings, own: Partial<ClaimPaths> = {}): ClaimPaths {
  const paths: Record<string, readonly ClaimPath[]> = { ...plainClaims, ...own }
  if (settings.claims.roles !== undefined) paths['moreRoles'] = []
  for (const [name, path] of Object.entries(settings.claims)) {
    // A dotted path may also be one name with dots in it, as in https://example.com/roles.
    if (path !== undefined) paths[name] = path.length > 1 ? [[path.join('.')], path] : [path]
  }
  return Object.freeze(paths as unknown as ClaimPaths)
}

/**
 * Names under which the provider says "ask elsewhere": the claim exists, and is not in the token.
 * @see OpenID Connect Core 1.0 section 5.6.2
 */
export function distributedClaims({ _claim_names: names }: Claims): readonly string[] {
  return typeof names === 'object' && names !== null && !Array.isArray(names) ? Object.keys(names) : none
}

const none: readonly string[] = Object.freeze([])

/** @returns an allow-list of the provider's own; undefined when none was written */
export function allowList(settings: ProviderSettings, name: string): readonly string[] | undefined {
  return settings.lists?.[name]
}

/** @returns a parameter of the provider's own; the configuration's validation saw that it is there */
export function parameter(settings: ProviderSettings, name: string): string {
  const value = settings.parameters[name]
  if (value === undefined || value === '') throw new TypeError(`provider ${settings.name} lacks \`${name}\``)
  return value
}

/** Says what keeps `value` from being a bare host name such as `example.eu.auth0.com`. */
export function hostFault(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return `\`${name}\` is missing`
  const url = URL.parse(`https://${value}`)
  return url !== null && url.host === value.toLowerCase() && url.pathname === '/'
    ? undefined
    : `\`${name}\` must be a host name alone, without scheme, path or trailing slash`
}

/** Says what keeps `value` from being an issuer or a base URL. */
export function urlFault(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return `\`${name}\` is missing`
  const url = URL.parse(value)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return `\`${name}\` must be an absolute https: URL`
  }
  return url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== ''
    ? `\`${name}\` must have no query, fragment, user name or password`
    : undefined
}
