/**
 * The gateway as one client of one provider: what goes over the wire, through openid-client. The one file that names the
 * library's calls.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildAuthorizationUrlWithPAR,
  buildEndSessionUrl,
  clockSkew,
  clockTolerance,
  Configuration,
  customFetch,
  discovery,
  fetchUserInfo,
  refreshTokenGrant,
  tokenRevocation,
  type ClientAuth,
  type CustomFetch,
  type ServerMetadata,
} from 'openid-client'
import { publicKeyAlgorithms } from '../engine/authenticators/jwt/algorithms.ts'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClientProof, LoginProvider, ServerFacts } from './dependencies.ts'
import { Away, isInvalidClient } from './fault.ts'

export interface Tokens {
  readonly accessToken: string
  readonly idToken: string | undefined
  readonly refreshToken: string | undefined
  /** Seconds. */
  readonly expiresIn: number | undefined
  /** Undefined: the provider granted what was asked for (RFC 6749 section 5.1). */
  readonly scope: string | undefined
}

export interface Party {
  /** Pushes the parameters where the provider has an endpoint for that. @see RFC 9126 */
  authorizationUrl(parameters: Readonly<Record<string, string>>): Promise<URL>
  /** @param callback the whole address that the browser came back to */
  redeem(callback: URL, checks: RedeemChecks): Promise<Tokens>
  refresh(refreshToken: string): Promise<Tokens>
  userinfo(accessToken: string, subject: string): Promise<Readonly<Record<string, unknown>>>
  /** Does nothing where the provider has no such endpoint. */
  revoke(token: string, kind: 'refresh_token' | 'access_token'): Promise<void>
  /** Undefined where the provider cannot be told. */
  endSessionUrl(parameters: Readonly<Record<string, string>>): Promise<URL | undefined>
  /** What the provider lists; undefined where it lists nothing. */
  scopesSupported(): Promise<readonly string[] | undefined>
}

export interface RedeemChecks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Every method rejects with what `faultOf` understands. */
export function createParty(provider: LoginProvider, client: ClientSettings, clock: Clock): Party {
  const open = async (proof?: ClientProof): Promise<Configuration> =>
    openConfiguration({ provider, client, clock, facts: await factsOf(provider), proof })

  /** While a secret is rotated the provider may know only one of the two: the next is tried where it says so. */
  async function proving<T>(work: (configuration: Configuration) => Promise<T>): Promise<T> {
    const proofs = await provider.proofs(client)
    for (const [at, proof] of proofs.entries()) {
      try {
        const result = await work(await open(proof))
        proof.worked()
        return result
      } catch (error) {
        if (at === proofs.length - 1 || !isInvalidClient(error)) throw error
      }
    }
    throw new Away('the client has nothing to prove itself with')
  }

  return {
    async authorizationUrl(parameters) {
      const configuration = await open()
      if (configuration.serverMetadata().pushed_authorization_request_endpoint === undefined)
        return buildAuthorizationUrl(configuration, parameters)
      return proving((each) => buildAuthorizationUrlWithPAR(each, parameters))
    },
    redeem: (callback, { state, nonce, verifier }) =>
      proving(async (configuration) =>
        tokensOf(
          await authorizationCodeGrant(configuration, callback, {
            pkceCodeVerifier: verifier,
            expectedState: state,
            expectedNonce: nonce,
            idTokenExpected: true,
          }),
        ),
      ),
    refresh: (refreshToken) =>
      proving(async (configuration) => tokensOf(await refreshTokenGrant(configuration, refreshToken))),
    userinfo: async (accessToken, subject) => fetchUserInfo(await open(), accessToken, subject),
    async revoke(token, kind) {
      if ((await open()).serverMetadata().revocation_endpoint === undefined) return
      await proving((configuration) => tokenRevocation(configuration, token, { token_type_hint: kind }))
    },
    async endSessionUrl(parameters) {
      const configuration = await open()
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined
      return buildEndSessionUrl(configuration, parameters)
    },
    async scopesSupported() {
      return (await open()).serverMetadata().scopes_supported
    },
  }
}

async function factsOf(provider: LoginProvider): Promise<ServerFacts> {
  try {
    return await provider.metadata()
  } catch (error) {
    throw new Away(error instanceof Error ? error.message : 'the metadata cannot be had')
  }
}

interface ConfigurationParts {
  readonly provider: LoginProvider
  readonly client: ClientSettings
  readonly clock: Clock
  readonly facts: ServerFacts
  readonly proof: ClientProof | undefined
}

/** Made anew for each call: it costs little beside one, and holds the clock and the proof of that call. */
async function openConfiguration(parts: ConfigurationParts): Promise<Configuration> {
  const { provider, client, clock, facts } = parts
  const { profile } = provider
  const server = serverMetadata(profile.metadata.issuer, facts)
  const metadata = {
    // Ours and the machine's clock can differ: in tests, and nowhere else.
    [clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
    [clockTolerance]: Math.ceil(profile.clockSkew / 1000),
    use_mtls_endpoint_aliases: client.method === 'mtls',
  }
  const fetch = guarded(provider, client)
  if (!profile.metadata.issuer.includes('{')) {
    const configuration = new Configuration(server, client.id, metadata, authenticationBy(parts))
    configuration[customFetch] = fetch
    // Plain http is refused where it leaves this machine: by the guarded fetch, and when the metadata is read.
    allowInsecureRequests(configuration)
    return configuration
  }
  // Only its discovery teaches the library that an issuer is a template with the tenant in it. Nothing is fetched.
  const configuration = await discovery(
    new URL(profile.metadata.at),
    client.id,
    metadata,
    authenticationBy(parts),
    { [customFetch]: async () => Response.json(server), execute: [allowInsecureRequests] },
  )
  configuration[customFetch] = fetch
  return configuration
}

/** Of the document only what is not an endpoint: those were read with care, and some are the configuration's. */
function serverMetadata(issuer: string, { document, endpoints, mtlsEndpoints }: ServerFacts): ServerMetadata {
  const plain = Object.entries(document).filter(
    ([name]) => !name.endsWith('_endpoint') && name !== 'jwks_uri' && name !== 'mtls_endpoint_aliases',
  )
  return {
    // What is not listed may be any that we can check: our own check of the ID token decides.
    id_token_signing_alg_values_supported: Object.keys(publicKeyAlgorithms),
    ...Object.fromEntries(plain),
    ...endpoints,
    mtls_endpoint_aliases: { ...mtlsEndpoints },
    issuer,
  }
}

function authenticationBy({ proof, client }: ConfigurationParts): ClientAuth {
  return (_server, _client, body, headers) => {
    if (proof === undefined) throw new TypeError('this call proves nothing')
    if (proof.authorization === undefined) body.set('client_id', client.id)
    else headers.set('authorization', proof.authorization)
    for (const [name, value] of Object.entries(proof.members)) body.set(name, value)
  }
}

function guarded(provider: LoginProvider, client: ClientSettings): CustomFetch {
  return (url, { method, headers, body }) =>
    provider.fetch(client, {
      url,
      method,
      headers,
      body: body instanceof URLSearchParams ? body : undefined,
    })
}

function tokensOf(answer: {
  readonly access_token: string
  readonly id_token?: string
  readonly refresh_token?: string
  readonly expires_in?: number
  readonly scope?: string
}): Tokens {
  return {
    accessToken: answer.access_token,
    idToken: answer.id_token,
    refreshToken: answer.refresh_token,
    expiresIn: answer.expires_in,
    scope: answer.scope,
  }
}
