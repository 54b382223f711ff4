import type { Authenticator } from '../engine/authenticators/authenticator.ts'
import type { Authorization } from '../engine/authorization/evaluate.ts'
import type { Chain, GuessGuard } from '../engine/authenticate.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { RevocationCheck } from '../ports/revocations.ts'
import type { Configuration, RouteSettings } from '../configuration.ts'
import type { CompiledLimits, RateLimiter } from '../limits/rate-limit.ts'
import type { Propagation } from '../propagation/plan.ts'
import type { RouteTable } from '../routing/table.ts'
import type { TrustedProxies } from '../server/forwarded.ts'
import type { BackendTokens } from './backend-tokens.ts'
import type { BodyMemory } from './held-body.ts'
import type { OwnEndpoint } from './endpoints/endpoint.ts'
import type { RequestContext } from '../server/to-request.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { GatewayMetrics, RouteMetrics } from '../telemetry/gateway-metrics.ts'
import type { Log } from '../telemetry/log.ts'
import type { Tracing } from '../telemetry/trace.ts'

/** One configuration, compiled and frozen: a reload builds another beside it and swaps one reference. */
export interface Snapshot {
  readonly configuration: Configuration
  readonly table: RouteTable
  readonly routes: ReadonlyMap<RouteSettings, CompiledRoute>
  readonly trust: TrustedProxies
  readonly requestContext: RequestContext
  readonly endpoints: readonly OwnEndpoint[]
  readonly guard: GuessGuard
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly propagation: Propagation
  readonly services: Services
}

/** What outlives a reload. */
export interface Services {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly log: Log
  readonly metrics: GatewayMetrics
  readonly tracing: Tracing | undefined
  readonly revocations: RevocationCheck & { staleFor(now: number): number }
  readonly limiter: RateLimiter
  /** What bodies that must be judged first may take together. */
  readonly bodyMemory: BodyMemory
  /** `ready` while requests are taken; `draining` after SIGTERM. */
  readonly readiness: () => 'starting' | 'ready' | 'draining'
}

export interface CompiledRoute {
  readonly settings: RouteSettings
  readonly chain: Chain
  readonly authorization: Authorization | undefined
  readonly limits: CompiledLimits
  readonly upstream: Upstream
  /** Gets a token for the upstream, where the route says so. */
  readonly backendTokens: BackendTokens | undefined
  readonly bodyLimit: number
  readonly requestTimeout: number
  /** Claims that a condition reads: told in the audit event. */
  readonly claimsRead: readonly string[]
  readonly report: CompiledReport | undefined
  readonly metrics: RouteMetrics
}

export interface CompiledReport {
  readonly chain: Chain | undefined
  readonly authorization: Authorization | undefined
  readonly limits: CompiledLimits | undefined
}
