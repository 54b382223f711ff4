/** A provider as operators see it: the state of its keys, and of the secrets that the gateway proves itself with there. */
import type { Configuration } from '../configuration.ts'
import { isIntrospection } from '../engine/authenticators/introspection/settings.ts'
import { isSession } from '../engine/authenticators/session/settings.ts'
import type { ClientMethod, ClientSettings } from '../engine/providers/client-settings.ts'
import { formatTime } from '../engine/units.ts'
import type { KeySetReport, SeenKey } from '../remote/jwks.ts'
import type { Provider } from '../remote/provider.ts'
import type { SecretReport } from '../remote/client-secrets.ts'
import { secretsOf } from './provider-clients.ts'

/** Times are RFC 3339. Without a time nothing happened since the gateway started. */
export interface ProviderView {
  readonly name: string
  readonly type: string
  readonly issuer: string
  readonly state: KeySetReport['state']
  readonly fetchedAt?: string
  readonly expiresAt?: string
  readonly keys: readonly KeyView[]
  /** Keys that left the set, the last one first. */
  readonly keysGone: readonly KeyView[]
  readonly clients: readonly ClientView[]
  readonly lastError?: string
}

export interface KeyView {
  readonly kid?: string
  readonly alg?: string
  readonly kty: string
  readonly firstSeenAt?: string
  readonly lastSeenAt?: string
}

/**
 * The stages of a rotation of secrets. `new`: the provider was not seen to take the newest one yet. `both`: it takes it, and
 * an older one was used within the hour. `draining`: the older ones were silent for an hour, and can be withdrawn.
 */
export type SecretStage = 'new' | 'both' | 'draining'

export interface ClientView {
  readonly id: string
  readonly method: ClientMethod
  /** With `method: secret`: how many are configured. */
  readonly secrets?: number
  /** Which one the provider took last; 1 is the newest. */
  readonly working?: number
  readonly oldSecretLastUsedAt?: string
  /** While there are several. */
  readonly stage?: SecretStage
}

type Settings = Pick<Configuration, 'authenticators' | 'routes'>

export function viewOfProvider(provider: Provider, configuration: Settings, now: number): ProviderView {
  const { name, issuer, state, fetchedAt, expiresAt, keys, keysGone, lastError } = provider.report()
  return {
    name,
    type: provider.settings.type,
    issuer,
    state,
    ...(fetchedAt === undefined ? {} : { fetchedAt: formatTime(fetchedAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: formatTime(expiresAt) }),
    keys: keys.map(viewOfKey),
    keysGone: keysGone.map(viewOfKey),
    clients: clientsAt(name, configuration).map((client) =>
      viewOfClient(client, provider.secrets.of(secretsOf(client)), now),
    ),
    ...(lastError === undefined ? {} : { lastError }),
  }
}

function viewOfKey({ firstSeenAt, lastSeenAt, ...key }: SeenKey): KeyView {
  return { ...key, firstSeenAt: formatTime(firstSeenAt), lastSeenAt: formatTime(lastSeenAt) }
}

function viewOfClient(
  { id, method, secrets }: ClientSettings,
  report: SecretReport | undefined,
  now: number,
): ClientView {
  if (method !== 'secret') return { id, method }
  const { working, oldUsedAt } = report ?? {}
  return {
    id,
    method,
    secrets: secrets.length,
    ...(working === undefined ? {} : { working: working + 1 }),
    ...(oldUsedAt === undefined ? {} : { oldSecretLastUsedAt: formatTime(oldUsedAt) }),
    ...(secrets.length > 1 ? { stage: stageOf(report, now) } : {}),
  }
}

const silence = 3_600_000

function stageOf(report: SecretReport | undefined, now: number): SecretStage {
  if (report?.working !== 0) return 'new'
  return report.oldUsedAt !== undefined && now - report.oldUsedAt < silence ? 'both' : 'draining'
}

/** Each client once, whoever of the configuration names it. */
function clientsAt(provider: string, { authenticators, routes }: Settings): readonly ClientSettings[] {
  const ofAuthenticators = Object.values(authenticators).flatMap((settings) => {
    if (isSession(settings)) return settings.clients[provider] ?? []
    return isIntrospection(settings) && settings.provider === provider ? [settings.client] : []
  })
  const ofBackends = routes.flatMap(({ forward: { backendToken } }) =>
    backendToken?.provider === provider ? [backendToken.client] : [],
  )
  return [...new Map([...ofAuthenticators, ...ofBackends].map((client) => [client.id, client])).values()]
}
