/** Tokens for backends of one kind: whose client, at which provider, for whom. Routes that want the same share them. */
import { hash } from 'node:crypto'
import type { BackendTokenSettings, Configuration, RouteSettings } from '../configuration.ts'
import type { SubjectToken } from '../engine/authenticators/authenticator.ts'
import { clientFiles } from '../engine/providers/client-settings.ts'
import { fetchClientToken } from '../remote/client-credentials.ts'
import { OAuthFailure } from '../remote/oauth-failure.ts'
import type { Provider } from '../remote/provider.ts'
import { createTokenCache, type CachedToken } from '../remote/token-cache.ts'
import { exchangeToken } from '../remote/token-exchange.ts'
import type { IssuedToken } from '../remote/token-answer.ts'
import { fingerprintOf, Keeper, type Kept } from './keep.ts'
import type { Foundation } from './services.ts'

export type BackendToken = CachedToken & { readonly outcome: 'issued' }

export interface BackendTokens {
  readonly grant: BackendTokenSettings['grant']
  /**
   * Never rejects for what a provider does.
   * @param subject with the grant of an exchange
   * @param notAfter the end of the caller's credential, milliseconds since the epoch
   */
  get(subject?: SubjectToken, notAfter?: number): CachedToken | Promise<CachedToken>
  /** A backend did not take this token. */
  drop(token: BackendToken): void
  close(): void
}

/** By what they are for. */
export type KeptTokens = ReadonlyMap<string, Kept<BackendTokens>>

/** @returns for each distinct setting its tokens, kept from `previous` where nothing changed */
export function buildBackendTokens(
  { routes }: Configuration,
  foundation: Foundation,
  providers: ReadonlyMap<string, Kept<Provider>>,
  previous: KeptTokens | undefined,
): KeptTokens {
  const wanted = Object.fromEntries(
    routes.flatMap(({ forward: { backendToken } }) =>
      backendToken === undefined ? [] : [[fingerprintOf(backendToken), backendToken] as const],
    ),
  )
  return new Keeper<BackendTokenSettings, BackendTokens>(
    (settings) => createBackendTokens(settings, providers.get(settings.provider)!.part, foundation),
    ({ client }) => clientFiles(client),
  ).build(wanted, previous, ({ provider }) => providers.get(provider)!.fingerprint)
}

export function tokensFor({ forward }: RouteSettings, tokens: KeptTokens): BackendTokens | undefined {
  const { backendToken } = forward
  return backendToken === undefined ? undefined : tokens.get(fingerprintOf(backendToken))!.part
}

/** Callers whose exchanged tokens are remembered. */
const mostSubjects = 10_000
const own = 'own'

function createBackendTokens(
  settings: BackendTokenSettings,
  provider: Provider,
  { services, providerClients }: Foundation,
): BackendTokens {
  const { grant, audience, scope } = settings
  const { clock, metrics } = services
  const client = providerClients.client(provider, settings.client)
  const cache = createTokenCache({ clock, capacity: grant === 'client_credentials' ? 1 : mostSubjects })

  const counted = async (fetching: Promise<IssuedToken>): Promise<IssuedToken> => {
    try {
      const issued = await fetching
      metrics.backendToken(provider.name, grant, 'issued')
      return issued
    } catch (error) {
      metrics.backendToken(provider.name, grant, error instanceof OAuthFailure ? error.fault : 'error')
      throw error
    }
  }
  // Only a generic provider may know RFC 8707's word: the others have their own, and some refuse a strange one.
  const request = { audience, scope, namesResource: provider.settings.type === 'oidc' }

  return {
    grant,
    get(subject, notAfter) {
      if (subject === undefined)
        return cache.get(own, () => counted(fetchClientToken(client, request, clock)))
      // By a digest: the cache must not be a list of everybody's tokens.
      const key = hash('sha256', `${subject.type} ${subject.token}`, 'base64url')
      const fetch = (): Promise<IssuedToken> =>
        counted(
          exchangeToken(
            client,
            { subjectToken: subject.token, subjectTokenType: subject.type, audience, scope },
            clock,
          ),
        )
      return cache.get(key, fetch, notAfter)
    },
    drop: ({ key, token }) => cache.drop(key, token),
    close: () => client.close(),
  }
}
