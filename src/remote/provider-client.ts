/** The gateway as a client at one provider: finds the endpoint, proves itself, tries an older secret while one is rotated. */
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import { parseJsonObject } from '../engine/authenticators/jwt/strict-json.ts'
import type { Clock } from '../ports/clock.ts'
import {
  basicProof,
  certificateProof,
  choosesPost,
  postProof,
  proofKey,
  signedProof,
  type ClientProof,
} from './client-proof.ts'
import { createClientSecrets, type Candidate, type SecretReport } from './client-secrets.ts'
import { openConnection, type ClientFiles } from './client-connection.ts'
import { metadataOf, type Endpoints, type ProviderMetadata } from './discovery.ts'
import { FetchError } from './fetch-error.ts'
import { asOAuthFailure, OAuthFailure, retryAfterOf } from './oauth-failure.ts'
import type { Provider } from './provider.ts'
import type { FetchedAnswer } from './read-answer.ts'

export type ClientEndpoint = 'token' | 'introspection' | 'revocation'

export interface ProviderClient {
  readonly id: string
  /** The issuer that the provider's metadata must name. */
  readonly issuer: string
  /**
   * Posts a form with the client's proof beside it.
   * @returns an answer that is no refusal of the client, no redirect and no outage: status 2xx or 4xx
   * @throws OAuthFailure
   */
  post(
    endpoint: ClientEndpoint,
    form: Readonly<Record<string, string>>,
    how: PostOptions,
  ): Promise<FetchedAnswer>
  secrets(): SecretReport
  /** What is under way comes to its end; nothing else begins. */
  close(): void
}

export interface PostOptions {
  /** The `Accept` field. */
  readonly accept: string
  readonly maxBytes: number
}

export type ClientProvider = Pick<Provider, 'name' | 'settings' | 'profile' | 'metadata' | 'forgetMetadata'>

export interface ProviderClientDependencies {
  readonly clock: Clock
  /** Another secret works than before, or an old one did again. */
  readonly onSecret?: (report: SecretReport) => void
  /** Milliseconds for one question, all tries together. Default 5 s. */
  readonly timeout?: number
  /** Sockets to the provider. */
  readonly connections?: number
}

const defaultTimeout = 5_000
/** How long an explicit endpoint is used without asking metadata that could not be had. */
const withoutMetadata = 30_000

export function createProviderClient(
  provider: ClientProvider,
  client: ClientSettings,
  { clock, onSecret, timeout = defaultTimeout, connections }: ProviderClientDependencies,
): ProviderClient {
  const secrets = createClientSecrets(client.secrets, clock, onSecret)
  const connection = openConnection(provider.settings, client, clock, connections)
  const metadata = metadataSource(provider, clock)
  const { issuer } = provider.profile.metadata

  const proofOf = (
    { authMethods, proofAlgorithms }: ProviderMetadata,
    endpoint: ClientEndpoint,
    { key, certificate }: ClientFiles,
    candidate: Candidate | undefined,
  ): ClientProof => {
    if (client.method === 'mtls') return certificateProof(client.id)
    if (client.method === 'private_key_jwt') {
      const pems = { key: key ?? '', ...(certificate === undefined ? {} : { certificate }) }
      const signing = proofKey(pems, client, proofAlgorithms)
      return signedProof(client.id, client.proofAudience ?? issuer, signing, clock.now())
    }
    if (candidate === undefined) throw new TypeError('the client has no secret')
    const methods = authMethods[endpoint] ?? authMethods.token
    return choosesPost(methods)
      ? postProof(client.id, candidate.secret)
      : basicProof(client.id, candidate.secret)
  }

  const ask = async (
    endpoint: ClientEndpoint,
    form: Readonly<Record<string, string>>,
    { accept, maxBytes }: PostOptions,
  ): Promise<FetchedAnswer> => {
    const signal = AbortSignal.timeout(timeout)
    const known = await metadata(endpoint)
    const url =
      (client.method === 'mtls' ? known.mtlsEndpoints[endpoint] : undefined) ?? known.endpoints[endpoint]
    if (url === undefined) {
      throw new OAuthFailure('misconfigured', `provider ${provider.name} names no ${endpoint} endpoint`)
    }
    const { poster, files } = await connection.open()
    const candidates = client.method === 'secret' ? secrets.candidates() : [undefined]
    for (const candidate of candidates) {
      const answer = await twice(() => {
        const { authorization, members } = proofOf(known, endpoint, files, candidate)
        return poster.post(url, {
          form: new URLSearchParams({ ...form, ...members }),
          accept,
          maxBytes,
          timeout,
          signal,
          ...(authorization === undefined ? {} : { authorization }),
        })
      })
      if (isClientRefused(answer)) continue
      if (answer.status === 404 || answer.status === 405) provider.forgetMetadata()
      if (answer.status >= 500 || answer.status === 404 || answer.status === 429) {
        throw new OAuthFailure(
          'unreachable',
          `the ${endpoint} endpoint answered with status ${answer.status}`,
          {
            retryAfter: retryAfterOf(answer.headers, clock.now()),
          },
        )
      }
      if (candidate !== undefined) secrets.worked(candidate)
      return answer
    }
    throw new OAuthFailure(
      'client_refused',
      `the ${endpoint} endpoint does not take the gateway for the client ${client.id}` +
        (candidates.length > 1 ? `, with none of its ${candidates.length} secrets` : ''),
    )
  }

  return {
    id: client.id,
    issuer,
    async post(endpoint, form, how) {
      try {
        return await ask(endpoint, form, how)
      } catch (error) {
        if (error instanceof FetchError) provider.forgetMetadata()
        throw error instanceof TypeError
          ? new OAuthFailure('misconfigured', error.message)
          : asOAuthFailure(error)
      }
    },
    secrets: () => secrets.report(),
    close: () => connection.close(),
  }
}

/** Once more where a kept connection was closed under the question: every question here may be asked twice. */
async function twice(send: () => Promise<FetchedAnswer>): Promise<FetchedAnswer> {
  try {
    return await send()
  } catch (error) {
    if (error instanceof FetchError && error.isLostConnection) return send()
    throw error
  }
}

/** @see RFC 6749 section 5.2: 401 where the `Authorization` field was used, else 400 or 401 */
function isClientRefused({ status, body }: FetchedAnswer): boolean {
  if (status === 401) return true
  return status === 400 && parseJsonObject(body)?.['error'] === 'invalid_client'
}

/** An explicit endpoint works without metadata, which then tells only how to prove oneself. */
function metadataSource(
  provider: ClientProvider,
  clock: Clock,
): (endpoint: ClientEndpoint) => Promise<ProviderMetadata> {
  const explicit = provider.settings.endpoints as Endpoints
  let skipUntil = -Infinity
  return async (endpoint) => {
    if (explicit[endpoint] === undefined) return provider.metadata()
    if (clock.now() < skipUntil) return metadataOf(explicit)
    try {
      return await provider.metadata()
    } catch {
      skipUntil = clock.now() + withoutMetadata
      return metadataOf(explicit)
    }
  }
}
