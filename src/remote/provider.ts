/** One configured identity provider put together: what its tokens mean, where its endpoints are, its keys and their life. */
import type { ProviderSettings } from '../configuration.ts'
import type { Profile } from '../engine/providers/profile.ts'
import { profileFor } from '../engine/providers/registry.ts'
import type { Clock } from '../ports/clock.ts'
import type { KeySet } from '../ports/key-sets.ts'
import {
  createDiscovery,
  metadataOf,
  metadataUrls,
  type Discovery,
  type Endpoints,
  type ProviderMetadata,
} from './discovery.ts'
import { guardedFetch, type FetchedAnswer } from './guarded-fetch.ts'
import { AnswerError } from './json-answer.ts'
import { documentReader, usesMetadata } from './provider-documents.ts'
import { createKeySet, type KeySetReport, type RefreshOutcome } from './jwks.ts'
import type { Schedule } from './schedule.ts'
import { createSecretLedger, type SecretLedger } from './secret-ledger.ts'

export interface ProviderDependencies {
  readonly clock: Clock
  /** False where nothing needs the published keys (only HMAC tokens): they are then fetched when first asked for. */
  readonly prefetch?: boolean
  /** After each fetch of the keys, for metrics. Must not throw. */
  readonly onRefresh?: (outcome: RefreshOutcome) => void
  readonly fetch?: typeof guardedFetch
  readonly schedule?: Schedule
  readonly random?: () => number
}

export interface Provider {
  readonly name: string
  readonly settings: ProviderSettings
  readonly profile: Profile
  readonly keySet: KeySet
  /** Explicit endpoints over discovered ones. Rejects when the metadata cannot be had. */
  endpoints(): Promise<Endpoints>
  /** The same with what the provider tells of how clients prove themselves. An explicit endpoint has no alias for certificates. */
  metadata(): Promise<ProviderMetadata>
  /** The metadata is asked for again next time: an endpoint may have moved. */
  forgetMetadata(): void
  report(): KeySetReport
  /** What became of the secrets that the gateway proves itself with there. */
  readonly secrets: SecretLedger
  /** Fetches metadata and keys now. */
  refresh(): Promise<RefreshOutcome>
  /** Stops all fetching. Requests in flight still find the cached keys. */
  close(): void
}

/**
 * Starts the first fetch in the background and returns at once: a provider that is away stops nothing but its own routes.
 * A reload keeps the instance whose settings did not change, and closes those it drops.
 */
export function createProvider(settings: ProviderSettings, dependencies: ProviderDependencies): Provider {
  const { clock, fetch = guardedFetch } = dependencies
  const profile = profileFor(settings)
  const explicit = settings.endpoints as Endpoints
  const get = documentReader(settings, profile, fetch)
  const discovery: Discovery | undefined = usesMetadata(settings, profile)
    ? createDiscovery({
        urls: metadataUrls(profile.metadata.at),
        issuer: profile.metadata.issuer,
        fetchDocument: (url, signal) => get(url, 'metadata', signal),
        clock,
        allowInsecure: settings.allowInsecure,
      })
    : undefined
  const fetchKeys = async (signal: AbortSignal): Promise<FetchedAnswer> => {
    const url = await keysAddress(explicit, discovery, profile, signal)
    try {
      const answer = await get(url, 'keys', signal)
      if (answer.status !== 200) discovery?.forget()
      return answer
    } catch (error) {
      discovery?.forget()
      throw error
    }
  }
  const keySet = createKeySet({
    provider: settings.name,
    issuer: profile.metadata.issuer,
    fetchKeys,
    clock,
    staleKeys: settings.staleKeys,
    use: profile.keyUse,
    ...pick(dependencies),
  })
  const metadata = async (): Promise<ProviderMetadata> =>
    discovery === undefined ? metadataOf(explicit) : withExplicit(await discovery.metadata(), explicit)
  return Object.freeze({
    name: settings.name,
    settings,
    profile,
    keySet,
    metadata,
    endpoints: async () => (await metadata()).endpoints,
    forgetMetadata: () => discovery?.forget(),
    report: () => keySet.report(),
    secrets: createSecretLedger(),
    refresh: () => {
      discovery?.forget()
      return keySet.refresh()
    },
    close: () => keySet.close(),
  })
}

function withExplicit(discovered: ProviderMetadata, explicit: Endpoints): ProviderMetadata {
  const aliases = Object.entries(discovered.mtlsEndpoints).filter(([name]) => !Object.hasOwn(explicit, name))
  return {
    ...discovered,
    endpoints: { ...discovered.endpoints, ...explicit },
    mtlsEndpoints: Object.fromEntries(aliases),
  }
}

async function keysAddress(
  explicit: Endpoints,
  discovery: Discovery | undefined,
  profile: Profile,
  signal: AbortSignal,
): Promise<string> {
  if (explicit.jwks !== undefined) return explicit.jwks
  const address = discovery === undefined ? profile.keysAddress : (await discovery.endpoints(signal)).jwks
  if (address !== undefined) return address
  throw new AnswerError(
    discovery === undefined
      ? 'no address of a key set is configured (`jwks`)'
      : 'the metadata names no usable key set address (`jwks_uri`)',
  )
}

/** Only what is set: an absent option and an undefined one are not the same type. */
function pick({
  prefetch,
  onRefresh,
  schedule,
  random,
}: ProviderDependencies): Partial<ProviderDependencies> {
  return {
    ...(prefetch === undefined ? {} : { prefetch }),
    ...(onRefresh === undefined ? {} : { onRefresh }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(random === undefined ? {} : { random }),
  }
}
