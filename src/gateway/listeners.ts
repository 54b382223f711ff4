/** The doors for clients: one listener for each configured address, and the answers that need no route. */
import type { ListenerSettings } from '../configuration.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { Answer } from '../exchange.ts'
import type { AcceptFacts, ListenerOptions, RunningListener } from '../server/listener.ts'
import { renderRefusal } from '../server/problem.ts'
import { startListener } from '../server/start.ts'
import type { CertificateService } from './certificates.ts'
import { rawField } from './conclude.ts'
import { healthAnswer } from './endpoints/health.ts'
import { tlsOf } from './decision-event.ts'
import { createHandler } from './handle.ts'
import type { Snapshot } from './snapshot.ts'

export interface OpenListener {
  readonly settings: ListenerSettings
  readonly running: RunningListener
  readonly url: string
}

export async function openListener(
  settings: ListenerSettings,
  current: () => Snapshot,
  certificates: Pick<CertificateService, 'trust'>,
): Promise<OpenListener> {
  const { services } = current()
  const running = await startListener({
    settings,
    dataPlane: current().configuration.dataPlane,
    limits: () => current().configuration.limits,
    clock: services.clock,
    ...judgeOf(settings, certificates),
    trustsPeer: (address) => current().trust.has(address),
    handle: createHandler(current),
    refuse: (refusal, facts) => refuseAtAccept(current(), refusal, facts),
    health: (path) => {
      const own = '/.portcullis'
      return path.startsWith(`${own}/`) ? healthAnswer(services.readiness, path.slice(own.length)) : undefined
    },
    identityNames: () => current().propagation.identityNames,
    onNotice: (notice) => services.log.warn({ listener: settings.host }, notice),
    onFault: (fault, requestId) =>
      services.log.error({ err: fault, requestId }, 'a request could not be handled'),
  })
  const scheme = settings.tls === undefined ? 'http' : 'https'
  const host = running.host.includes(':') ? `[${running.host}]` : running.host
  return { settings, running, url: `${scheme}://${host}:${running.port}` }
}

/** Where the listener names authorities, a certificate counts only by them. */
function judgeOf(
  { tls }: ListenerSettings,
  certificates: Pick<CertificateService, 'trust'>,
): Pick<ListenerOptions, 'judgeCertificate'> {
  const settings = tls?.clientCertificates?.trust
  if (settings === undefined) return {}
  const trust = certificates.trust(settings)
  return {
    judgeCertificate(certificate, now) {
      const verdict = trust.judge(certificate, now)
      return verdict.outcome === 'trusted' ? undefined : verdict.fault
    },
  }
}

/** Step 1 refused it: there is no request yet, so the event says only what the connection told. */
function refuseAtAccept(snapshot: Snapshot, refusal: Refusal, facts: AcceptFacts): Answer {
  const { services } = snapshot
  const { connection, method, requestId } = facts
  services.audit
    .record({
      time: services.clock.now(),
      type: 'authentication',
      outcome: 'refuse',
      reason: refusal.reason,
      code: refusal.code,
      requestId,
      clientIp: connection.address,
      ...(method === undefined ? {} : { method }),
      ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
      ...(connection.tls === undefined ? {} : { tls: tlsOf(connection.tls) }),
    })
    ?.catch((error: unknown) =>
      services.log.error({ err: error }, 'an audit event of a refusal could not be written'),
    )
  services.metrics.route('').answered(refusal.status, 'refuse').add()
  const fields = facts.fields ?? []
  return renderRefusal(refusal, {
    requestId,
    method: method ?? '',
    accept: rawField(fields, 'accept'),
    secFetchMode: rawField(fields, 'sec-fetch-mode'),
    contentType: rawField(fields, 'content-type'),
  })
}
