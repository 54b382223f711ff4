/** Addresses that cannot be listened on together, and settings of the store and the assertion that cannot work. */
import type { Complaint } from '../fault.ts'
import { formatPath, valueAt, type Path } from '../path.ts'
import { sqlitePath } from '../compile.ts'
import type { HostAndPort } from '../scalars/network.ts'
import type { Check } from './check.ts'

export const checkAddresses: Check = function* (context) {
  const { listeners, admin } = context.configuration
  const ofListeners = listeners.map(({ address }, index) => ({
    address,
    path: ['listeners', index, 'address'],
  }))
  const ofAdmin = { address: admin.address, path: ['admin', 'address'] }
  // Of two that clash the second is complained about: better one that is written than a default.
  const isWritten = valueAt(context.tree, ofAdmin.path) !== undefined
  const places: readonly { readonly address: HostAndPort; readonly path: Path }[] = isWritten
    ? [...ofListeners, ofAdmin]
    : [ofAdmin, ...ofListeners]
  for (const [index, { address, path }] of places.entries()) {
    const other = places.slice(0, index).find((each) => clash(each.address, address))
    if (other === undefined) continue
    yield {
      path,
      message: `this address is taken by ${formatPath(other.path)}`,
      expected: 'an address or a port of its own',
    }
  }
}

/** A wildcard takes the port on every address. Port 0 is a free one each time. */
function clash(one: HostAndPort, other: HostAndPort): boolean {
  if (one.port !== other.port || one.port === 0) return false
  return one.host === other.host || isWildcard(one.host) || isWildcard(other.host)
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}

/** Lists are judged by the authorities that signed them: without those nobody would look at them. */
export const checkClientCertificates: Check = function* (context) {
  for (const [index, { tls }] of context.configuration.listeners.entries()) {
    const { mode, authorities, revocation } = tls?.clientCertificates ?? {}
    if (revocation === undefined || authorities !== undefined || mode === 'none') continue
    yield {
      path: ['listeners', index, 'tls', 'clientCertificates', 'revocation'],
      message: 'revocation lists without the authorities that signed them',
      expected:
        '`authorities` beside it; or lists at the `mtls` authenticator, which has authorities of its own',
    }
  }
}

/** Only trusted proxies may connect then: with none, nobody could. */
export const checkProxyProtocol: Check = function* (context) {
  const { listeners, trustedProxies } = context.configuration
  if (trustedProxies.length > 0) return
  for (const [index, { proxyProtocol }] of listeners.entries()) {
    if (!proxyProtocol) continue
    yield {
      path: ['listeners', index, 'proxyProtocol'],
      message: 'nobody may connect: PROXY headers are taken from `trustedProxies` only, and none is named',
      expected: '`trustedProxies` with the addresses of your load balancers',
    }
  }
}

export const checkState: Check = function* (context) {
  const { store, assertion, audit } = context.configuration
  if (store.url.startsWith('sqlite:') && sqlitePath(store.url, context.folder) === undefined) {
    yield {
      path: ['store', 'url'],
      message: 'a SQLite store is a file',
      expected: 'sqlite:./portcullis.db, sqlite:/var/lib/portcullis.db or sqlite::memory:',
    }
  }
  if (assertion.rotateEvery <= assertion.lifetime) {
    yield {
      path: ['assertion', 'rotateEvery'],
      message: 'keys would change before the assertions that they signed have ended',
      expected: 'much longer than `assertion.lifetime`',
    }
  }
  if (audit !== 'off') yield* checkSinks(audit.sinks)
}

function* checkSinks(sinks: readonly unknown[]): Generator<Complaint> {
  for (const [index, sink] of sinks.entries()) {
    if (sinks.indexOf(sink) !== index)
      yield {
        path: ['audit', 'sinks', index],
        message: 'this sink stands here already',
        expected: 'each one once',
      }
  }
}
