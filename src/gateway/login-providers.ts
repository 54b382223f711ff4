/** Providers as the login room needs them: metadata, keys, and a way out that guards addresses, sizes and times. */
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { ClientProof, LoginFetch, LoginProvider, ServerFacts } from '../login/dependencies.ts'
import { openConnection, type ClientConnection } from '../remote/client-connection.ts'
import {
  basicForms,
  basicProof,
  certificateProof,
  choosesPost,
  postProof,
  proofKey,
  signedProof,
  type ClientProof as Proof,
} from '../remote/client-proof.ts'
import { createClientSecrets, type ClientSecrets } from '../remote/client-secrets.ts'
import { endpointNames, type EndpointName, type Endpoints } from '../remote/discovery.ts'
import { guardedFetch } from '../remote/guarded-fetch.ts'
import { AnswerError } from '../remote/json-answer.ts'
import type { FetchedAnswer } from '../remote/read-answer.ts'
import type { Provider } from '../remote/provider.ts'
import { tellSecrets } from './provider-clients.ts'
import type { Services } from './snapshot.ts'

/** Milliseconds: a provider may take its time over a code or a refresh, and a person waits. */
const timeout = 15_000
const maxBytes = 262_144

/** More at once are refused: strangers who begin to log in must not make us flood a provider, nor wait for each other. */
const mostUnderWay = 200

interface Client {
  readonly connection: ClientConnection
  readonly secrets: ClientSecrets
}

export function createLoginProvider(
  provider: Provider,
  services: Pick<Services, 'clock' | 'log' | 'metrics'>,
): LoginProvider {
  const { clock } = services
  let underWay = 0
  const clients = new WeakMap<ClientSettings, Client>()
  const clientOf = (settings: ClientSettings): Client => {
    const known = clients.get(settings)
    if (known !== undefined) return known
    const made = {
      connection: openConnection(provider.settings, settings, clock, undefined),
      secrets: createClientSecrets(settings.secrets, clock, tellSecrets(services, provider, settings)),
    }
    clients.set(settings, made)
    return made
  }
  return {
    settings: provider.settings,
    profile: provider.profile,
    keySet: provider.keySet,
    async metadata(): Promise<ServerFacts> {
      const { endpoints, mtlsEndpoints, document } = await provider.metadata()
      return { endpoints: inTheirWords(endpoints), mtlsEndpoints: inTheirWords(mtlsEndpoints), document }
    },
    async fetch(client, request) {
      if (underWay >= mostUnderWay) throw new AnswerError('too many requests to the provider are under way')
      underWay += 1
      try {
        return asResponse(await send(provider, clientOf(client).connection, request))
      } finally {
        underWay -= 1
      }
    },
    async proofs(client) {
      const { authMethods, proofAlgorithms } = await provider.metadata()
      if (client.method === 'mtls') return [lasting(certificateProof(client.id))]
      if (client.method === 'private_key_jwt') {
        const { key = '', certificate } = (await clientOf(client).connection.open()).files
        const pems = { key, ...(certificate === undefined ? {} : { certificate }) }
        const audience = client.proofAudience ?? provider.profile.metadata.issuer
        return [
          lasting(signedProof(client.id, audience, proofKey(pems, client, proofAlgorithms), clock.now())),
        ]
      }
      const { secrets } = clientOf(client)
      const isPost = choosesPost(authMethods.token)
      return secrets.candidates().flatMap((candidate) =>
        (isPost
          ? [postProof(client.id, candidate.secret)]
          : // Some providers read the pair as it stands, without decoding it.
            basicForms(client.id, candidate.secret, 'encoded').map((form) =>
              basicProof(client.id, candidate.secret, form),
            )
        ).map((proof): ClientProof => ({ ...proof, worked: () => secrets.worked(candidate) })),
      )
    },
  }
}

function lasting(proof: Proof): ClientProof {
  return { ...proof, worked: () => undefined }
}

async function send(
  { settings }: Provider,
  connection: ClientConnection,
  { url, method, headers, body }: LoginFetch,
): Promise<FetchedAnswer> {
  const { authorization, accept = 'application/json' } = headers
  const proof = authorization === undefined ? {} : { authorization }
  const { poster, files } = await connection.open()
  if (method === 'POST')
    return poster.post(url, { form: body ?? new URLSearchParams(), accept, maxBytes, timeout, ...proof })
  return guardedFetch(url, {
    accept,
    maxBytes,
    timeout,
    allowInsecure: settings.allowInsecure,
    ...(files.ca === undefined ? {} : { ca: files.ca }),
    ...proof,
  })
}

function asResponse({ status, headers, body }: FetchedAnswer): Response {
  const isBodiless = status === 204 || status === 205 || status === 304
  return new Response(isBodiless ? null : new Uint8Array(body), { status, headers: { ...headers } })
}

function inTheirWords(endpoints: Endpoints): Record<string, string> {
  return Object.fromEntries(
    (Object.entries(endpoints) as [EndpointName, string][]).map(([name, url]) => [endpointNames[name], url]),
  )
}
