/** The gateway as a client at its providers: what authenticators and backends' tokens are asked for with, told in log and metrics. */
import type { IntrospectorRequest, ProviderParts } from '../engine/authenticators/kind.ts'
import {
  createLookupLimits,
  type LookupLimits,
} from '../engine/authenticators/introspection/lookup-limits.ts'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { IntrospectionAnswer, Introspector } from '../ports/introspector.ts'
import { createIntrospector } from '../remote/introspection.ts'
import { createProviderClient, type ProviderClient } from '../remote/provider-client.ts'
import type { Provider } from '../remote/provider.ts'
import type { SecretReport } from '../remote/client-secrets.ts'
import { fingerprintOf } from './keep.ts'
import type { Services } from './snapshot.ts'

export interface ProviderClients {
  /** What authenticators are made from. */
  parts(provider: Provider): ProviderParts
  client(provider: Provider, settings: ClientSettings): ProviderClient
  /** Whether the last look-up of a token there came to nothing: for who asks how the gateway is. */
  isAway(provider: Provider): boolean
}

type Told = Pick<Services, 'clock' | 'log' | 'metrics'>

export function createProviderClients(services: Told): ProviderClients {
  // A reload that keeps the provider keeps what is known of who asks too much.
  const limits = new WeakMap<Provider, LookupLimits>()
  const limitsOf = (provider: Provider): LookupLimits => {
    const known = limits.get(provider)
    if (known !== undefined) return known
    const made = createLookupLimits()
    limits.set(provider, made)
    return made
  }
  const client = (provider: Provider, settings: ClientSettings): ProviderClient =>
    createProviderClient(provider, settings, {
      clock: services.clock,
      onSecret: tellSecrets(services, provider, settings),
    })
  const away = new WeakSet<Provider>()
  return {
    client,
    isAway: (provider) => away.has(provider),
    parts: (provider) => ({
      profile: provider.profile,
      keySet: provider.keySet,
      introspector: (request) =>
        introspectorAt(provider, client(provider, request.client), request, { ...services, away }),
      lookups: limitsOf(provider),
    }),
  }
}

function introspectorAt(
  provider: Provider,
  client: ProviderClient,
  { audience, requiresSigned }: IntrospectorRequest,
  { clock, log, metrics, away }: Told & { readonly away: WeakSet<Provider> },
): Introspector {
  const introspector = createIntrospector({
    client,
    keySet: provider.keySet,
    acceptsIssuer: (issuer) => provider.profile.acceptsIssuer(issuer),
    audience,
    requiresSigned,
    clock,
    clockSkew: provider.settings.clockSkew,
  })
  let oddToldAt = -Infinity
  const tell = (answer: IntrospectionAnswer): void => {
    if (answer.outcome !== 'unavailable') {
      if (away.delete(provider)) log.info({ provider: provider.name }, 'tokens are looked up again')
      return
    }
    const { fault, detail: reason } = answer
    const facts = { provider: provider.name, fault, reason }
    if (fault === 'malformed' || fault === 'server_error') {
      // Anybody can make up a token that the provider stumbles over: that must not fill the log.
      if (clock.now() - oddToldAt < oddEvery) return
      oddToldAt = clock.now()
      log.warn(facts, 'an answer about a token cannot be used')
      return
    }
    // Once when it goes and once when it comes back, however many ask meanwhile.
    if (away.has(provider)) return
    away.add(provider)
    log.warn(facts, 'tokens cannot be looked up')
  }
  return {
    async introspect(token) {
      const answer = await introspector.introspect(token)
      metrics.introspection(provider.name, answer.outcome === 'unavailable' ? answer.fault : answer.outcome)
      tell(answer)
      return answer
    },
  }
}

/** Milliseconds. */
const oddEvery = 60_000

/** A client with its list of secrets, by a name that tells none of them. */
export function secretsOf({ id, secrets }: ClientSettings): string {
  return `${id} ${fingerprintOf(secrets)}`
}

/** A rotation is over when the newest secret works and the last use of an old one lies behind. */
export function tellSecrets(
  { log, metrics }: Told,
  { name: provider, secrets }: Pick<Provider, 'name' | 'secrets'>,
  settings: ClientSettings,
): (report: SecretReport) => void {
  const { id: client } = settings
  const listed = secretsOf(settings)
  let told: number | undefined = 0
  return (report) => {
    secrets.note(listed, report)
    const { count, working, oldUsedAt } = report
    if (oldUsedAt !== undefined) metrics.clientSecretOldUsed(provider, client, oldUsedAt / 1_000)
    if (working === told) return
    told = working
    const facts = { provider, client, secrets: count }
    if (working !== 0) {
      log.warn(
        { ...facts, position: working },
        'the provider takes an older secret of the client, not the newest',
      )
    } else {
      const lastUse = oldUsedAt === undefined ? undefined : new Date(oldUsedAt).toISOString()
      log.info(
        { ...facts, oldSecretLastUsed: lastUse },
        'the provider takes the newest secret of the client: the older ones can be withdrawn',
      )
    }
  }
}
