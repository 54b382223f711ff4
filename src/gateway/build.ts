/** Compiles a configuration into a snapshot, beside the running one: parts whose settings did not change are kept. */
import { compileChain, type Chain } from '../engine/authenticate.ts'
import { compileAuthorize } from '../engine/authorization/evaluate.ts'
import { createAuthenticator } from '../engine/authenticators/registry.ts'
import type { Authenticator } from '../engine/authenticators/authenticator.ts'
import type {
  AuthenticateSettings,
  AuthenticatorSettings,
  Configuration,
  ProviderSettings,
  RouteSettings,
  UpstreamSettings,
} from '../configuration.ts'
import { compileLimits } from '../limits/rate-limit.ts'
import { createLockout, createLockoutMemory, type LockoutMemory } from '../limits/lockout.ts'
import type { GuessGuard } from '../engine/authenticate.ts'
import { createPropagation } from '../propagation/plan.ts'
import { createProvider, type Provider } from '../remote/provider.ts'
import { compileRoutes } from '../routing/table.ts'
import { compileTrusted } from '../server/forwarded.ts'
import type { GatewayMetrics } from '../telemetry/gateway-metrics.ts'
import { createUpstream, type Upstream } from '../upstream/upstream.ts'
import { buildBackendTokens, tokensFor, type KeptTokens } from './backend-tokens.ts'
import { Keeper, retired, type Kept } from './keep.ts'
import { ownEndpoints } from './endpoints/registry.ts'
import { openLogin } from './login.ts'
import { createRequestContext } from './request-context.ts'
import type { Foundation } from './services.ts'
import type { CompiledRoute, Services, Snapshot } from './snapshot.ts'

/** A snapshot and the parts that it was made from, for the next reload to keep or retire. */
export interface Built {
  readonly snapshot: Snapshot
  readonly providers: ReadonlyMap<string, Kept<Provider>>
  readonly authenticators: ReadonlyMap<string, Kept<Authenticator>>
  readonly upstreams: ReadonlyMap<string, Kept<Upstream>>
  readonly backendTokens: KeptTokens
  readonly lockoutMemory: LockoutMemory
}

export function build(configuration: Configuration, foundation: Foundation, previous?: Built): Built {
  const { services, store, usage } = foundation
  const { clock, metrics, log, revocations } = services

  const providers = new Keeper<ProviderSettings, Provider>(
    (settings, name) => openProvider(settings, needsKeys(configuration, name), services),
    (settings) => [settings.ca],
  ).build(configuration.providers, previous?.providers, ({ name }) => String(needsKeys(configuration, name)))

  const authenticators = new Keeper<AuthenticatorSettings, Authenticator>(
    (settings) =>
      createAuthenticator(settings, {
        clock,
        revocations,
        apiKeys: store.apiKeys,
        changes: store.changes,
        sessions: foundation.sessions.parts,
        once: foundation.once,
        proofs: foundation.proofs,
        trust: (files) => foundation.certificates.trust(files),
        ocsp: foundation.certificates.ocsp,
        provider: (name) => foundation.providerClients.parts(providers.get(name)!.part),
        onKeyUse: (id, at, address) => usage.note(id, at, address),
        onTokenCache: (outcome) => metrics.tokenCache(outcome === 'hit'),
      }),
    ({ files = [] }) => files,
  ).build(configuration.authenticators, previous?.authenticators, (settings) =>
    (settings.providers ?? []).map((name) => providers.get(name)!.fingerprint).join(' '),
  )

  const upstreams = new Keeper<UpstreamSettings, Upstream>(
    (settings, name) =>
      createUpstream(settings, {
        clock,
        watch: foundation.watch,
        dataPlane: configuration.dataPlane,
        onHealth: (target, state) => {
          log.info({ upstream: name, target, state }, 'a target changed its state')
        },
      }),
    ({ tls }) => [tls?.ca, tls?.certificate, tls?.key],
  ).build(configuration.upstreams, previous?.upstreams, () => configuration.dataPlane)

  const login = openLogin(configuration, foundation, (name) => providers.get(name)?.part)
  foundation.sessions.use(login)
  // A reload is no amnesty: what is known of addresses goes on.
  const lockoutMemory = previous?.lockoutMemory ?? createLockoutMemory()
  const backendTokens = buildBackendTokens(configuration, foundation, providers, previous?.backendTokens)
  const parts = { authenticators, upstreams, backendTokens, metrics, chains: new Map<string, Chain>() }
  const routes = new Map(
    configuration.routes.map((route) => [route, compileRoute(route, configuration, parts)]),
  )
  const snapshot: Snapshot = Object.freeze({
    configuration,
    table: compileRoutes(configuration.routes),
    routes,
    trust: compileTrusted(configuration.trustedProxies, configuration.forwarded, foundation.warnOfForwarding),
    requestContext: createRequestContext(configuration, foundation.certificates),
    endpoints: ownEndpoints(configuration, foundation, {
      login,
      authenticators: [...authenticators.values()].map(({ part }) => part),
    }),
    guard: guardOf(configuration, foundation, lockoutMemory),
    authenticators: new Map([...authenticators].map(([name, { part }]) => [name, part])),
    upstreams: new Map([...upstreams].map(([name, { part }]) => [name, part])),
    propagation: createPropagation(configuration, { clock, keys: foundation.assertionKeys }),
    services,
  })
  return { snapshot, providers, authenticators, upstreams, backendTokens, lockoutMemory }
}

/** Tokens that a shared secret proves need no published keys: nothing is fetched for them ahead. */
function openProvider(
  settings: ProviderSettings,
  prefetch: boolean,
  { clock, metrics, log }: Services,
): Provider {
  let isAway = false
  const provider: Provider = createProvider(settings, {
    clock,
    prefetch,
    onRefresh(outcome) {
      metrics.jwksRefresh(settings.name, outcome)
      // Once when it goes and once when it comes back: it is asked again and again meanwhile.
      const told = { provider: settings.name }
      if (outcome === 'failure' && !isAway)
        log.warn({ ...told, reason: provider.report().lastError }, 'the keys of a provider cannot be fetched')
      else if (outcome !== 'failure' && isAway) log.info(told, 'the keys of the provider are fetched again')
      isAway = outcome === 'failure'
    },
  })
  return provider
}

function needsKeys({ authenticators }: Configuration, provider: string): boolean {
  return Object.values(authenticators).some(
    ({ fetchesKeys, providers }) => fetchesKeys === true && providers?.includes(provider) === true,
  )
}

/** The drain time is over: what is still in flight is cut, tunnels too. */
export function cut({ upstreams }: Built): void {
  for (const { part } of upstreams.values()) part.destroy()
}

/** Closes what `next` no longer uses, once the exchanges that began with it are over. */
export async function retire(previous: Built, next: Built | undefined): Promise<void> {
  const none = new Map<string, never>()
  for (const provider of retired(previous.providers, next?.providers ?? none)) provider.close()
  for (const tokens of retired(previous.backendTokens, next?.backendTokens ?? none)) tokens.close()
  await Promise.all(retired(previous.upstreams, next?.upstreams ?? none).map((upstream) => upstream.close()))
}

function guardOf(configuration: Configuration, { services }: Foundation, memory: LockoutMemory): GuessGuard {
  const lockout = createLockout(configuration.lockout, { clock: services.clock, memory })
  return {
    admit: (address) => lockout.admit(address),
    failed(address, credential) {
      if (lockout.failed(address, credential))
        services.log.warn({ address }, 'locked out: too many failed credentials')
    },
  }
}

interface Parts {
  readonly authenticators: ReadonlyMap<string, Kept<Authenticator>>
  readonly upstreams: ReadonlyMap<string, Kept<Upstream>>
  readonly backendTokens: KeptTokens
  readonly metrics: GatewayMetrics
  /** Those of this build. */
  readonly chains: Map<string, Chain>
}

function compileRoute(settings: RouteSettings, configuration: Configuration, parts: Parts): CompiledRoute {
  const { limits, report } = settings
  const authorization = settings.authorize === undefined ? undefined : compileAuthorize(settings.authorize)
  return Object.freeze({
    settings,
    chain: chainOf(settings.authenticate, parts),
    authorization,
    limits: compileLimits(settings.id, settings.rateLimit),
    upstream: parts.upstreams.get(settings.upstream)!.part,
    backendTokens: tokensFor(settings, parts.backendTokens),
    bodyLimit: limits.body ?? configuration.limits.body,
    requestTimeout: limits.requestTimeout ?? configuration.limits.requestTimeout,
    claimsRead: authorization?.claimsRead ?? [],
    report:
      report === undefined
        ? undefined
        : {
            chain: report.authenticate === undefined ? undefined : chainOf(report.authenticate, parts),
            authorization: report.authorize === undefined ? undefined : compileAuthorize(report.authorize),
            limits:
              report.rateLimit === undefined
                ? undefined
                : compileLimits(settings.id, report.rateLimit, 'report'),
          },
    metrics: parts.metrics.route(settings.id),
  })
}

/** Most routes ask for the same: one compiled chain serves them all, and what it remembers. */
function chainOf(settings: AuthenticateSettings, { authenticators, chains }: Parts): Chain {
  const names = settings.mode === 'none' ? [] : settings.authenticators
  const key = JSON.stringify([settings.mode, names])
  let chain = chains.get(key)
  if (chain === undefined) {
    const parts = names.map((name) => authenticators.get(name)!.part)
    chains.set(key, (chain = compileChain(settings.mode, parts)))
  }
  return chain
}
