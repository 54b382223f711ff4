/** The gateway as a client at one provider: finds the endpoint, proves itself, tries an older secret while one is rotated. */
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import { parseJsonObject } from '../engine/authenticators/jwt/strict-json.ts'
import type { Clock } from '../ports/clock.ts'
import {
  basicForms,
  basicProof,
  certificateProof,
  choosesPost,
  postProof,
  proofKey,
  signedProof,
  type BasicForm,
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

  /** The form in which the provider read our name and secret last. */
  let basicForm: BasicForm = 'encoded'

  /** The proofs to try, in order: one, but for a secret that is rotated, or that not every provider reads alike. */
  function* proofsFor(
    known: ProviderMetadata,
    endpoint: ClientEndpoint,
    files: ClientFiles,
  ): Generator<Trial> {
    if (client.method === 'mtls') return yield { prove: () => certificateProof(client.id) }
    if (client.method === 'private_key_jwt') {
      const { key = '', certificate } = files
      const pems = { key, ...(certificate === undefined ? {} : { certificate }) }
      const signing = proofKey(pems, client, known.proofAlgorithms)
      // Made anew for each try: it is good for one.
      return yield {
        prove: () => signedProof(client.id, client.proofAudience ?? issuer, signing, clock.now()),
      }
    }
    const isPosted = choosesPost(known.authMethods[endpoint] ?? known.authMethods.token)
    for (const candidate of secrets.candidates()) {
      const { secret } = candidate
      if (isPosted) yield { candidate, prove: () => postProof(client.id, secret) }
      else
        for (const form of basicForms(client.id, secret, basicForm))
          yield { candidate, form, prove: () => basicProof(client.id, secret, form) }
    }
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
    for (const trial of proofsFor(known, endpoint, files)) {
      const answer = await twice(() => {
        const { authorization, members } = trial.prove()
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
      judgeStatus(endpoint, answer)
      if (trial.candidate !== undefined) secrets.worked(trial.candidate)
      if (trial.form !== undefined) basicForm = trial.form
      return answer
    }
    throw new OAuthFailure(
      'client_refused',
      `the ${endpoint} endpoint does not take the gateway for the client ${client.id}` +
        (client.secrets.length > 1 ? `, with none of its ${client.secrets.length} secrets` : ''),
    )
  }

  const judgeStatus = (endpoint: ClientEndpoint, { status, headers }: FetchedAnswer): void => {
    if (status === 404 || status === 405) provider.forgetMetadata()
    if (status < 500 && status !== 404 && status !== 429) return
    const fault = status === 500 || status === 501 ? 'server_error' : 'unreachable'
    throw new OAuthFailure(fault, `the ${endpoint} endpoint answered with status ${status}`, {
      retryAfter: retryAfterOf(headers, clock.now()),
    })
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

/** One way to prove ourselves. */
interface Trial {
  readonly candidate?: Candidate
  readonly form?: BasicForm
  readonly prove: () => ClientProof
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

/** @see RFC 6749 section 5.2: 401 where the `Authorization` field was used, else 400 or 401; some say 403 and no more */
function isClientRefused({ status, body }: FetchedAnswer): boolean {
  if (status === 401) return true
  if (status !== 400 && status !== 403) return false
  const error = parseJsonObject(body)?.['error']
  return error === 'invalid_client' || (status === 403 && error === undefined)
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
