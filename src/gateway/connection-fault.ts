/** What a listener that asks for client certificates demands of every request on its connections. */
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { ServerRequest } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import { parseHostPort } from '../server/host.ts'
import { rawField } from './conclude.ts'

/** Health is told to those who have no certificate: load balancers seldom do. */
const alwaysOpen: ReadonlySet<string> = new Set(['/.portcullis/livez', '/.portcullis/readyz'])

/** @param path normalised */
export function connectionFault(server: ServerRequest, path: string, clock: Clock): Refusal | undefined {
  const { tls, listener } = server.connection
  const asked = listener.tls?.clientCertificates
  if (tls === undefined || asked === undefined) return undefined
  if (tls.serverName !== undefined && tls.serverName !== '' && !isSameHost(server, tls.serverName))
    return refuse('misdirected', { detail: 'the Host is not the name that the connection was made for' })
  if (asked.mode !== 'require' || alwaysOpen.has(path)) return undefined
  if (tls.certificate === undefined) return refuse('certificate_required', { challenges })
  const fault = tls.certificate.refusal?.(clock.now())
  return fault === undefined ? undefined : refuse(fault.reason, { detail: fault.detail, challenges })
}

const challenges: readonly string[] = Object.freeze(['ClientCertificate realm="portcullis"'])

/** A name of the connection decided what was asked of the client: under another name something else may have been. */
function isSameHost({ fields }: ServerRequest, serverName: string): boolean {
  const host = parseHostPort(rawField(fields, 'host') ?? '')?.host
  return host === serverName.toLowerCase().replace(/\.$/, '')
}
