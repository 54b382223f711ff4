/** What a request's context tells of it: which public origin it was sent to, and which client certificate counts. */
import { normalOrigin } from '../engine/origin.ts'
import type { Configuration, ListenerSettings } from '../configuration.ts'
import type { ClientFacts } from '../server/forwarded.ts'
import type { RequestContext } from '../server/to-request.ts'
import type { CertificateService } from './certificates.ts'
import { compileForwardedCertificates } from './forwarded-certificates.ts'

export function createRequestContext(
  configuration: Pick<Configuration, 'publicUrl' | 'authenticators'>,
  certificates: Pick<CertificateService, 'trust'>,
): RequestContext {
  const forwarded = compileForwardedCertificates(configuration.authenticators, certificates)
  const originsOf = new WeakMap<ListenerSettings, ReadonlyMap<string, string> | undefined>()
  const ofListener = (listener: ListenerSettings): ReadonlyMap<string, string> | undefined => {
    if (!originsOf.has(listener)) {
      const listed = listener.publicUrl.length > 0 ? listener.publicUrl : configuration.publicUrl
      originsOf.set(listener, listed.length === 0 ? undefined : originsByHost(listed))
    }
    return originsOf.get(listener)
  }
  return {
    publicOrigin({ connection }, client) {
      const origins = ofListener(connection.listener)
      return origins === undefined ? originAsSent(client) : origins.get(client.host)
    },
    certificate({ connection, fields }) {
      // From those who hand certificates over, their own connection's says nothing of the client.
      const acceptors =
        connection.isUntold === undefined ? forwarded.acceptorsFor(connection.address) : undefined
      return acceptors === undefined ? connection.tls?.certificate : forwarded.read(fields, acceptors)
    },
  }
}

/** Host, as requests name it, to origin. */
function originsByHost(origins: readonly string[]): ReadonlyMap<string, string> {
  return new Map(origins.map((origin) => [new URL(origin).hostname, normalOrigin(origin)]))
}

/** Without any `publicUrl`: where the request was sent to. */
function originAsSent({ scheme, host, port }: ClientFacts): string {
  return normalOrigin(`${scheme}://${host}${port === undefined ? '' : `:${port}`}`)
}
