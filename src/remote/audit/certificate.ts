/** How long the TLS certificate of a provider is good for. */
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import { guardedConnector, permittedUrl, type ConnectionOptions } from '../guarded-connector.ts'
import { found, type OnlineFinding } from './findings.ts'

const day = 86_400_000
const errorWithin = 7 * day
const warningWithin = 30 * day

/**
 * Connects, looks at the certificate, and goes away again. The certificate is verified as for every fetch.
 * @returns milliseconds since the epoch at which it ends; undefined for plain http
 * @throws FetchError, or the connection's own error
 */
export async function certificateEnd(
  url: string,
  options: ConnectionOptions,
  timeout: number,
): Promise<number | undefined> {
  const { protocol, hostname, port } = permittedUrl(url, options.allowInsecure === true)
  const connect = guardedConnector(options, timeout)
  const socket = await new Promise<Socket>((resolve, reject) => {
    connect(
      { protocol, hostname, port: port === '' ? (protocol === 'https:' ? '443' : '80') : port },
      (error, opened) => {
        if (error === null) resolve(opened)
        else reject(error)
      },
    )
  })
  try {
    if (!(socket instanceof TLSSocket)) return undefined
    const end = Date.parse(socket.getPeerCertificate().valid_to)
    return Number.isNaN(end) ? undefined : end
  } finally {
    socket.destroy()
  }
}

/** @param host as it is shown */
export function judgeCertificate(name: string, host: string, end: number, now: number): OnlineFinding[] {
  if (end - now > warningWithin) return []
  const when = new Date(end).toISOString().slice(0, 10)
  return [
    found(
      'provider-certificate',
      { name },
      `the certificate of ${host} ${end <= now ? 'ended' : 'ends'} on ${when}`,
      end - now > errorWithin ? 'warning' : 'error',
    ),
  ]
}
