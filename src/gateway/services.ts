/** Opens what outlives every reload, in the order in which the parts need each other, and closes it in the reverse. */
import { randomUUID } from 'node:crypto'
import { openAudit, type OpenAudit } from './audit.ts'
import type { ProofJudge } from '../engine/bindings/dpop.ts'
import { createRevocationIndex, type RevocationIndex } from '../engine/revocation/index.ts'
import { startExpiryScan } from '../engine/authenticators/api-key/expiry-notices.ts'
import { createUsageCollector, type UsageCollector } from '../engine/authenticators/api-key/usage.ts'
import { createRateLimiter } from '../limits/rate-limit.ts'
import { openAssertionKeys, type AssertionKeys } from '../propagation/assertion-keys.ts'
import type { Clock } from '../ports/clock.ts'
import type { Once } from '../ports/once.ts'
import type { Store } from '../ports/store.ts'
import { openStore } from '../stores/open.ts'
import { createMemoryOnce } from '../stores/memory/once.ts'
import { createMemoryCounters } from '../stores/memory/counters.ts'
import { createGatewayMetrics } from '../telemetry/gateway-metrics.ts'
import type { Log } from '../telemetry/log.ts'
import { openTracing } from '../telemetry/trace.ts'
import type { Configuration } from '../configuration.ts'
import { createStreamWatch, type StreamWatch } from '../upstream/upstream.ts'
import { BodyMemory } from './held-body.ts'
import { startOutboxDrain } from './outbox.ts'
import { openProofJudge } from './proofs.ts'
import { createProviderClients, type ProviderClients } from './provider-clients.ts'
import { openSessions, type SessionService } from './sessions.ts'
import { openCertificates, type CertificateService } from './certificates.ts'
import type { Services } from './snapshot.ts'

/** What snapshots are built on. */
export interface Foundation {
  readonly services: Services
  readonly store: Store
  readonly usage: UsageCollector
  readonly audit: OpenAudit
  readonly revocations: RevocationIndex
  readonly assertionKeys: AssertionKeys
  /** What may be used only once: proofs, nonces, logout tokens. */
  readonly once: Once
  readonly proofs: ProofJudge
  readonly providerClients: ProviderClients
  readonly certificates: CertificateService
  readonly sessions: SessionService
  /** One for the process: one timer watches all open streams. */
  readonly watch: StreamWatch
  readonly warnOfForwarding: (peer: string) => void
  close(): Promise<void>
}

export interface FoundationOptions {
  readonly configuration: Configuration
  /** The hash of the configuration that is in force, for audit events. */
  readonly configurationHash: () => string
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly clock: Clock
  readonly readiness: Services['readiness']
}

export async function openFoundation(options: FoundationOptions): Promise<Foundation> {
  const { configuration, clock, log } = options
  const metrics = createGatewayMetrics(clock.now())
  const closing: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const store = await openStore(configuration.store.path, {
      clock,
      onError: (error) => log.error({ err: error }, 'the store does not answer'),
    })
    closing.push(() => store.close())
    const audit = await openAudit(configuration.audit, {
      clock,
      instance: randomUUID(),
      configurationHash: options.configurationHash,
      onAlarm: (kind, detail) => {
        if (kind === 'write_recovered') log.info({ alarm: kind, detail }, 'the audit log is written again')
        else log.error({ alarm: kind, detail }, 'audit alarm')
      },
      onLag: (seconds) => metrics.auditLag(seconds),
      onEvent: (type, outcome) => metrics.auditEvent(type, outcome),
    })
    closing.push(() => audit.close())
    const onError = (what: string) => (error: unknown) => log.error({ err: error }, what)
    const revocations = createRevocationIndex({
      store: store.revocations,
      changes: store.changes,
      clock,
      onError: onError('revocations could not be read'),
    })
    closing.push(() => revocations.close())
    await revocations.refresh()
    metrics.revocationsStanding(() => revocations.size)
    const usage = createUsageCollector({
      store: store.apiKeys,
      clock,
      onError: onError('last-used times could not be written'),
    })
    closing.push(() => usage.close())
    const expiry = startExpiryScan({
      notices: store.expiryNotices,
      audit,
      clock,
      onExpiring: (days) => metrics.keyExpiring(days),
      onError: onError('the scan for expiring keys failed'),
    })
    closing.push(() => expiry.close())
    void expiry.scan().catch(onError('the scan for expiring keys failed'))
    const outbox = startOutboxDrain(
      store.outbox,
      audit,
      onError('events of other processes could not be brought over'),
    )
    closing.push(() => outbox.close())
    const assertionKeys = await openAssertionKeys(store.meta, {
      clock,
      rotateEvery: configuration.assertion.rotateEvery,
      lifetime: configuration.assertion.lifetime,
      onError: onError('assertion keys could not be looked after'),
    })
    const once = createMemoryOnce(clock)
    const proofs = await openProofJudge(store.meta, once, clock)
    const tracing = await openTracing(options.env)
    if (tracing !== undefined) closing.push(() => tracing.close())
    const services: Services = {
      clock,
      audit,
      log,
      metrics,
      tracing,
      revocations,
      limiter: createRateLimiter({ counters: createMemoryCounters(), clock }),
      bodyMemory: new BodyMemory(),
      readiness: options.readiness,
    }
    const certificates = openCertificates(log)
    closing.push(() => certificates.close())
    const sessions = openSessions(store, services)
    closing.push(() => sessions.close())
    return {
      services,
      store,
      usage,
      audit,
      revocations,
      assertionKeys,
      once,
      proofs,
      providerClients: createProviderClients(services),
      certificates,
      sessions,
      watch: createStreamWatch(clock),
      warnOfForwarding: warnOnce(log),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Each peer once, and not more than a few: whoever floods us with fields must not flood the log. */
function warnOnce(log: Log): (peer: string) => void {
  const warned = new Set<string>()
  return (peer) => {
    if (warned.size >= 100 || warned.has(peer)) return
    warned.add(peer)
    log.warn({ peer }, 'a peer outside trustedProxies sends forwarding fields: they are ignored')
  }
}
