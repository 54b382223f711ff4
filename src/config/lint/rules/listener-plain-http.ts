import { isLoopback } from '../../scalars/network.ts'
import type { Rule } from '../rule.ts'

export const listenerPlainHttp: Rule = {
  id: 'listener-plain-http',
  severity: 'warning',
  about:
    'A listener off this machine speaks plain HTTP, and no trusted proxy ends TLS in front of it: credentials travel readable.',
  fix: 'Give the listener `tls`, or name the proxy that ends TLS under `trustedProxies`.',
  *find({ listeners, trustedProxies }) {
    if (trustedProxies.length > 0) return
    for (const [index, { host, tls }] of listeners.entries()) {
      if (tls !== undefined || isLoopback(host)) continue
      yield { path: `listeners[${index}]`, message: `credentials travel readable to ${host}` }
    }
  },
}
