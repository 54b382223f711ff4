/** Identity providers: what each type is told, and what all of them take. */
import { z } from 'zod'
import type { ClaimPath, ProviderType } from '../../configuration.ts'
import { path, text } from '../scalars/names.ts'
import { hostname, httpUrl } from '../scalars/network.ts'
import { delay, duration } from '../scalars/quantities.ts'
import { flag, oneOrMany, word } from './word.ts'

export const endpointNames = [
  'jwks',
  'authorization',
  'token',
  'introspection',
  'revocation',
  'endSession',
] as const
export type EndpointName = (typeof endpointNames)[number]

/** What every provider has beside its type's own members (which are text, a list of texts, or absent). */
export interface ParsedProvider {
  readonly type: ProviderType
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
      tenant: claimPath
        .exactOptional()
        .describe(
          "Without it: Entra's `tid`, Auth0's `org_id`, a workload's namespace (Kubernetes) or owner (GitHub).",
        ),
    })
    .prefault({})
    .describe('Which claims say what, where the type does not know it already.'),
  allowInsecure: flag.prefault(false).describe('Allows `http://` to a provider that is not on this machine.'),
}

/** An allow-list; `*` stands for anything in a segment, and as the last segment for all below, where the type says so. */
function allowed(what: string): z.ZodType {
  return oneOrMany(word(text), `${what}, or a list of them`).exactOptional()
}

/** Numbers stand for themselves: YAML makes one of digits without quotes. */
function allowedIds(): z.ZodType {
  const expected = 'a number, or a list of them'
  const id = z.union([z.int().positive().transform(String), z.string().regex(/^\d+$/)], { error: expected })
  return oneOrMany(id, expected).exactOptional()
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
    organizations: allowed('the id of an organization, such as org_AbCdEfGhIjKlMnOp').describe(
      'The organizations whose members are taken, by id; a token of none is then refused.',
    ),
  }),
  provider('okta', 'Okta.', {
    domain: word(hostname).describe('The organisation, such as example.okta.com.'),
    authorizationServer: word(text)
      .exactOptional()
      .describe(
        "The id of a custom authorization server, such as `default`. Without it: the organisation's own, whose access tokens can only be looked up.",
      ),
  }),
  provider('cognito', 'Amazon Cognito.', {
    region: word(text).describe('The region, such as eu-central-1.'),
    userPoolId: word(text).describe('The user pool, such as eu-central-1_AbCdEfGhI.'),
  }),
  provider('entra', 'Microsoft Entra ID.', {
    tenant: word(text).describe("The tenant's id; or `organizations`, `common` or `consumers`."),
    tenants: allowed("a tenant's id (a GUID)").describe(
      'With `organizations` or `common`: the tenants that are taken.',
    ),
  }),
  provider('keycloak', 'Keycloak.', {
    url: word(httpUrl).describe('Where Keycloak is served, without `/realms/…`.'),
    realm: word(text).describe('The realm.'),
    client: word(text)
      .exactOptional()
      .describe("A client whose roles (`resource_access`) are added to the realm's."),
  }),
  provider('google', 'Google.', {
    domains: allowed('a domain, such as example.com').describe(
      'The Workspace domains (`hd`) whose accounts are taken.',
    ),
  }),
  provider('github-actions', 'Workflows of GitHub Actions.', {
    issuer: word(httpUrl)
      .exactOptional()
      .describe('Of a server of your own, such as https://github.example.com/_services/token.'),
    enterprise: word(text)
      .exactOptional()
      .describe("The enterprise's short name, where it has an issuer of its own."),
    owners: allowed('an organisation or user').describe('The owners whose repositories are taken.'),
    ownerIds: allowedIds().describe('The same by id, which nobody can take over.'),
    repositories: allowed('OWNER/NAME or OWNER/*').describe('The repositories that are taken.'),
    repositoryIds: allowedIds().describe('The same by id, which nobody can take over.'),
    refs: allowed('a ref, such as refs/heads/main').describe('The branches and tags that are taken.'),
    environments: allowed('the name of an environment').describe(
      'The deployment environments that are taken.',
    ),
    workflows: allowed('OWNER/REPOSITORY/.github/workflows/FILE@REF').describe(
      'The workflows (`job_workflow_ref`) that are taken.',
    ),
  }),
  provider('kubernetes', "A cluster's service accounts.", {
    issuer: word(httpUrl)
      .exactOptional()
      .describe("The cluster's issuer. Without it: the cluster that the gateway runs in."),
    server: word(httpUrl)
      .exactOptional()
      .describe(
        'The API server, where it serves the keys. Without it: the issuer, or inside a cluster https://kubernetes.default.svc.',
      ),
    tokenFile: word(path)
      .exactOptional()
      .describe(
        "File with a token that may read the keys at the API server; inside a cluster the pod's own.",
      ),
    namespaces: allowed('a namespace').describe('The namespaces whose workloads are taken.'),
    serviceAccounts: allowed('NAMESPACE/NAME').describe('The service accounts that are taken.'),
    boundTo: z
      .enum(['pod', 'node', 'secret'], { error: 'pod, node or secret' })
      .exactOptional()
      .describe('The object that tokens must be bound to, so that they end with it.'),
  }),
  provider('spiffe', 'A SPIFFE trust domain.', {
    trustDomain: word(text).describe('The trust domain, such as prod.example.org.'),
    bundle: word(text).describe('The trust bundle: the URL of its endpoint (https), or a file.'),
    issuer: word(httpUrl)
      .exactOptional()
      .describe('What `iss` must be, where a token has one. Without it: not looked at.'),
    ids: allowed('a SPIFFE ID').describe('The SPIFFE IDs that are taken.'),
  }),
] as const

export const providerSchema: z.ZodType<ParsedProvider> = z.discriminatedUnion(
  'type',
  providers,
) as unknown as z.ZodType<ParsedProvider>
