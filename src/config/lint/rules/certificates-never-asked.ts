import { isMtls } from '../../../engine/authenticators/mtls/settings.ts'
import type { Rule } from '../rule.ts'

export const certificatesNeverAsked: Rule = {
  id: 'certificates-never-asked',
  severity: 'warning',
  about:
    'Callers are to prove themselves by client certificates, and no listener asks for any: whoever has nothing else is refused.',
  fix: 'Let a listener ask (`tls.clientCertificates: { mode: request }`), or name the proxy that hands certificates over (`from`).',
  *find({ listeners, authenticators }) {
    if (listeners.some(({ tls }) => tls?.clientCertificates !== undefined)) return
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isMtls(settings) || settings.from !== undefined) continue
      yield { path: `authenticators.${name}`, message: 'no listener asks for client certificates' }
    }
  },
}
