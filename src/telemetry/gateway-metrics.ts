import { Registry, type Counter, type Histogram } from './metrics.ts'

/** The gateway's metrics by their public names; the request path holds bound children from here. */
export interface GatewayMetrics {
  readonly registry: Registry
  /** Of requests that reached no route: the empty name. */
  route(route: string): RouteMetrics
  authentication(authenticator: string, outcome: string, reason: string): Counter
  /** The same, for a credential that held. */
  verified(authenticator: string): Counter
  upstreamDuration(upstream: string): Histogram
  tokenCache(hit: boolean): void
  jwksRefresh(provider: string, outcome: string): void
  introspection(provider: string, outcome: string): void
  /** `kind` is `token_exchange` or `client_credentials`. */
  backendToken(provider: string, kind: string, outcome: string): void
  /** Seconds since the epoch. */
  clientSecretOldUsed(provider: string, client: string, at: number): void
  rateLimited(route: string, reason: string): void
  lockedOut(): void
  auditEvent(type: string, outcome: string): void
  auditLag(seconds: number): void
  wouldRefuse(route: string, stage: string): void
  keyExpiring(days: number): void
  leakReport(outcome: string): void
  leakedKey(action: string): void
  revocationsStanding(count: () => number): void
  reload(outcome: string): void
  targetHealth(upstream: string, target: string, healthy: boolean): void
}

export type Decision = 'allow' | 'refuse' | 'error'

/** What is counted of one route's requests. Held by whoever serves the route; nothing is exported before it was counted. */
export interface RouteMetrics {
  answered(code: number, decision: Decision): Counter
  readonly duration: Histogram
}

export function createGatewayMetrics(startedAt: number): GatewayMetrics {
  const registry = new Registry()
  const requests = registry.counter('portcullis_requests_total', 'Requests answered.', [
    'route',
    'code',
    'decision',
  ])
  const authentications = memo3(
    registry.counter('portcullis_authentications_total', 'Credentials judged.', [
      'authenticator',
      'outcome',
      'reason',
    ]).with,
  )
  const requestSeconds = registry.histogram(
    'portcullis_request_duration_seconds',
    'Time from a request head to the end of its answer.',
    ['route'],
  )
  const upstreamSeconds = registry.histogram(
    'portcullis_upstream_duration_seconds',
    'Time from forwarding to the end of the upstream answer.',
    ['upstream'],
  )
  const hits = registry.counter('portcullis_token_cache_hits_total', 'Credentials known from memory.').with()
  const misses = registry
    .counter('portcullis_token_cache_misses_total', 'Credentials that had to be verified.')
    .with()
  const refreshes = registry.counter('portcullis_jwks_refresh_total', 'Fetches of provider key sets.', [
    'provider',
    'outcome',
  ])
  const introspections = registry.counter(
    'portcullis_introspections_total',
    'Look-ups of tokens at their provider.',
    ['provider', 'outcome'],
  )
  const backendTokens = registry.counter(
    'portcullis_backend_tokens_total',
    'Tokens for backends that were asked of a provider.',
    ['provider', 'kind', 'outcome'],
  )
  const oldSecrets = registry.gauge(
    'portcullis_client_secret_old_last_used_seconds',
    'Unix time at which a provider last took a secret of a client that is not the newest.',
    ['provider', 'client'],
  )
  const limited = registry.counter('portcullis_rate_limited_total', 'Requests refused by a rate limit.', [
    'route',
    'reason',
  ])
  const locked = registry.counter('portcullis_locked_out_total', 'Requests refused by lockout.').with()
  const events = registry.counter('portcullis_audit_events_total', 'Audit events written.', [
    'type',
    'outcome',
  ])
  const lag = registry
    .gauge('portcullis_audit_lag_seconds', 'Age of the oldest audit event that is not on disk.')
    .with()
  const reports = registry.counter(
    'portcullis_would_refuse_total',
    'Requests that a report-only rule would have refused.',
    ['route', 'stage'],
  )
  const expiring = registry.counter(
    'portcullis_api_keys_expiring_total',
    'Notices that an API key is about to expire.',
    ['days'],
  )
  const leakReports = registry.counter(
    'portcullis_leak_reports_total',
    'Reports of keys that were found in public, by what became of the report.',
    ['outcome'],
  )
  const leakedKeys = registry.counter(
    'portcullis_leaked_keys_total',
    'Our keys that were found in public, by what was done about them.',
    ['action'],
  )
  const revocations = registry.gauge('portcullis_revocations', 'Revocations that stand.').with()
  const reloads = registry.counter('portcullis_configuration_reloads_total', 'Configuration reloads.', [
    'outcome',
  ])
  const targets = registry.gauge('portcullis_upstream_target_healthy', '1 while a target takes requests.', [
    'upstream',
    'target',
  ])
  const started = registry.gauge('process_start_time_seconds', 'Start of the process, Unix time.').with()
  const memory = registry.gauge('process_resident_memory_bytes', 'Resident memory.').with()
  const cpu = registry.counter('process_cpu_seconds_total', 'User and system CPU time.').with()
  started.set(startedAt / 1000)
  let cpuSeen = 0
  registry.onScrape(() => {
    memory.set(process.memoryUsage.rss())
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu.add(seconds - cpuSeen)
    cpuSeen = seconds
  })
  return {
    registry,
    route: memo1((route) => routeMetrics(route, requests.with, requestSeconds.with)),
    authentication: authentications,
    verified: memo1((authenticator) => authentications(authenticator, 'verified', '')),
    upstreamDuration: memo1(upstreamSeconds.with),
    tokenCache: (hit) => (hit ? hits : misses).add(),
    jwksRefresh: (provider, outcome) => refreshes.with(provider, outcome).add(),
    introspection: (provider, outcome) => introspections.with(provider, outcome).add(),
    backendToken: (provider, kind, outcome) => backendTokens.with(provider, kind, outcome).add(),
    clientSecretOldUsed: (provider, client, at) => oldSecrets.with(provider, client).set(at),
    rateLimited: (route, reason) => limited.with(route, reason).add(),
    lockedOut: () => locked.add(),
    auditEvent: memo2Add((type, outcome) => events.with(type, outcome)),
    auditLag: (seconds) => lag.set(seconds),
    wouldRefuse: (route, stage) => reports.with(route, stage).add(),
    keyExpiring: (days) => expiring.with(String(days)).add(),
    leakReport: (outcome) => leakReports.with(outcome).add(),
    leakedKey: (action) => leakedKeys.with(action).add(),
    revocationsStanding: (count) => registry.onScrape(() => revocations.set(count())),
    reload: (outcome) => reloads.with(outcome).add(),
    targetHealth: (upstream, target, healthy) => targets.with(upstream, target).set(healthy ? 1 : 0),
  }
}

function routeMetrics(
  route: string,
  requests: (...labels: string[]) => Counter,
  durations: (route: string) => Histogram,
): RouteMetrics {
  const counters: Record<Decision, Map<number, Counter>> = {
    allow: new Map(),
    refuse: new Map(),
    error: new Map(),
  }
  let duration: Histogram | undefined
  return {
    answered(code, decision) {
      const known = counters[decision]
      let counter = known.get(code)
      if (counter === undefined) known.set(code, (counter = requests(route, String(code), decision)))
      return counter
    },
    get duration() {
      return (duration ??= durations(route))
    },
  }
}

// Nested maps rather than joined keys: a warm request finds its children without making a string.
function memo1<Child>(make: (a: string) => Child): (a: string) => Child {
  const known = new Map<string, Child>()
  return (a) => {
    let child = known.get(a)
    if (child === undefined) known.set(a, (child = make(a)))
    return child
  }
}

function memo3<Child>(
  make: (a: string, b: string, c: string) => Child,
): (a: string, b: string, c: string) => Child {
  const known = memo1((a: string) => memo1((b: string) => memo1((c: string) => make(a, b, c))))
  return (a, b, c) => known(a)(b)(c)
}

function memo2Add(make: (a: string, b: string) => Counter): (a: string, b: string) => void {
  const known = memo1((a: string) => memo1((b: string) => make(a, b)))
  return (a, b) => known(a)(b).add()
}
