// What of oidc-provider is switched on, and how. Everything that it would warn about is decided here.
import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import type { AdapterFactory, ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { SigningKeys } from './keys.ts'
import { logoutPage, messagePage } from './pages.ts'
import type { Page } from './pages.ts'
import type { DevClient, DevUser } from './users.ts'

/** The class of the library, once it is loaded. */
export type OpenIdProvider = Provider

/** What a provider is built from; it is built anew when its keys or clients change. */
export interface ProviderParts {
  readonly issuer: string
  readonly audience: string
  /** Seconds. */
  readonly accessTokenLifetime: number
  readonly users: readonly DevUser[]
  readonly clients: readonly DevClient[]
  readonly keys: SigningKeys
  readonly adapter: AdapterFactory
  readonly cookieKeys: readonly string[]
  /** Whether clients may register themselves. */
  readonly registration: boolean
  readonly onError: (error: Error) => void
}

const hour = 3600
const day = 24 * hour

/** Loads the library, which takes a third of a second and 20 MB, and starts nothing. */
export async function buildProvider(parts: ProviderParts): Promise<OpenIdProvider> {
  // The package's index prints a warning on every Node.js that is not yet a long-term line; the class itself does not.
  const classFile: string = 'oidc-provider/lib/provider.js'
  const library = (await import(classFile)) as { Provider: typeof Provider }
  const provider = new library.Provider(parts.issuer, configure(parts))
  provider.on('server_error', (_ctx: unknown, error: Error) => parts.onError(error))
  const application: EventEmitter = provider
  application.on('error', (error: NodeJS.ErrnoException & { expose?: boolean }) => {
    // A client that hung up is no fault of ours.
    if (error.expose === true || error.code === 'ECONNRESET' || error.code === 'EPIPE') return
    parts.onError(error)
  })
  return provider
}

/** Where the redirects of sign-in and sign-out may end; each origin once. */
export function redirectOrigins(clients: readonly DevClient[]): readonly string[] {
  const uris = clients.flatMap((client) => [...client.redirectUris, ...(client.postLogoutRedirectUris ?? [])])
  return [...new Set(uris.map((uri) => new URL(uri).origin))]
}

function configure(parts: ProviderParts): Configuration {
  const { audience, users, clients, accessTokenLifetime } = parts
  const clientOf = (id: string | undefined): DevClient | undefined => clients.find((each) => each.id === id)
  const userOf = (name: string | undefined): DevUser | undefined => users.find((each) => each.name === name)
  const audienceScopes = [...new Set([...users, ...clients].flatMap((each) => each.scopes ?? []))]

  return {
    adapter: parts.adapter,
    clients: clients.map(clientMetadata),
    jwks: { keys: parts.keys.keys.map((key) => ({ ...key })) },
    cookies: { keys: [...parts.cookieKeys] },
    scopes: ['openid', 'profile', 'email', 'offline_access', ...audienceScopes],
    claims: {
      openid: ['sub', 'roles', ...new Set(users.flatMap((user) => Object.keys(user.claims ?? {})))],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    // Relying parties take roles from the ID token, as from the providers that people use in production.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    ttl: {
      AccessToken: accessTokenLifetime,
      ClientCredentials: accessTokenLifetime,
      AuthorizationCode: 60,
      IdToken: hour,
      Interaction: 10 * 60,
      RefreshToken: 14 * day,
      Session: 14 * day,
      Grant: 14 * day,
    },
    findAccount: (_ctx, name) => {
      const user = userOf(name)
      return user && { accountId: user.name, claims: () => accountClaims(user) }
    },
    extraTokenClaims: (_ctx, token) => {
      if (token.kind === 'AccessToken') {
        const user = userOf(token.accountId)
        return { ...user?.claims, roles: [...(user?.roles ?? [])] }
      }
      return { roles: [...(clientOf(token.clientId)?.roles ?? [])] }
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    loadExistingGrant: grantWhatTheUserMayHave(userOf),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      show(
        ctx,
        messagePage('That did not work', `${out.error}: ${out.error_description ?? 'no description'}`),
      )
    },
    discovery: { userinfo_endpoint: `${parts.issuer}/me` },
    features: {
      devInteractions: { enabled: false },
      // The library's endpoint takes opaque tokens only; userinfo.ts takes both kinds.
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: parts.registration },
      backchannelLogout: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientAuthMethod !== 'none' },
      jwtIntrospection: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => show(ctx, logoutPage(form, redirectOrigins(clients))),
        postLogoutSuccessSource: (ctx) => show(ctx, messagePage('Signed out', 'You can close this page.')),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => {
          if (resource !== audience) throw invalidTarget()
          const registered = clientOf(client.clientId)
          const scope = (registered?.scopes ?? audienceScopes).join(' ')
          // A service that asks for no scope gets all that it may have, as from most providers in production.
          if (ctx.oidc.params?.['grant_type'] === 'client_credentials') ctx.oidc.params['scope'] ??= scope
          return {
            audience,
            scope,
            accessTokenTTL: accessTokenLifetime,
            accessTokenFormat: registered?.accessTokens ?? 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }
        },
      },
    },
  }
}

function clientMetadata(client: DevClient): ClientMetadata {
  const isRedirected = client.grants.includes('authorization_code')
  return {
    client_id: client.id,
    ...authentication(client),
    ...(client.signedIntrospection === true ? { introspection_signed_response_alg: 'RS256' } : {}),
    grant_types: [...client.grants],
    response_types: isRedirected ? ['code'] : [],
    redirect_uris: isRedirected ? [...client.redirectUris] : [],
    post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
    ...(client.backchannelLogoutUri === undefined
      ? {}
      : {
          backchannel_logout_uri: client.backchannelLogoutUri,
          backchannel_logout_session_required: true,
        }),
  }
}

function authentication({ secret, secretIn, keys }: DevClient): Partial<ClientMetadata> {
  if (keys !== undefined) return { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [...keys] } }
  if (secret === undefined) return { token_endpoint_auth_method: 'none' }
  const method = secretIn === 'form' ? 'client_secret_post' : 'client_secret_basic'
  return { token_endpoint_auth_method: method, client_secret: secret }
}

/** Consent is given by the house: what is asked for and the user may have is granted, the rest is quietly left out. */
function grantWhatTheUserMayHave(
  userOf: (name: string | undefined) => DevUser | undefined,
): NonNullable<Configuration['loadExistingGrant']> {
  return async (ctx) => {
    const { provider, session, client, requestParamScopes, resourceServers } = ctx.oidc
    const user = userOf(session?.accountId)
    if (user === undefined || client === undefined) return undefined
    const grant = new provider.Grant({ accountId: user.name, clientId: client.clientId })
    grant.addOIDCScope([...requestParamScopes].join(' '))
    for (const [resource, server] of Object.entries(resourceServers ?? {})) {
      for (const scope of requestParamScopes) {
        if (!server.scopes.has(scope)) continue
        if (user.scopes.includes(scope)) grant.addResourceScope(resource, scope)
        else grant.rejectResourceScope(resource, scope)
      }
    }
    await grant.save()
    return grant
  }
}

/** The claims of a person, as in the ID token and at the userinfo endpoint. */
export function accountClaims(user: DevUser): { sub: string } & Record<string, unknown> {
  return {
    ...user.claims,
    sub: user.name,
    roles: [...user.roles],
    name: user.name,
    preferred_username: user.name,
    email: `${user.name}@catalog.example`,
    email_verified: true,
  }
}

function show(ctx: KoaContextWithOIDC, page: Page): void {
  ctx.set({ ...page.headers })
  ctx.body = page.html
}

// The shape that the library turns into an OAuth error (RFC 8707 section 2); its own class is reached only through the index.
function invalidTarget(): Error {
  return Object.assign(new Error('invalid_target'), {
    error: 'invalid_target',
    error_description: 'the requested resource is not known here',
    status: 400,
    statusCode: 400,
    expose: true,
  })
}
