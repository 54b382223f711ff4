import { bindingOf } from '../../../engine/bindings/settings.ts'
import { isLoopback } from '../../scalars/network.ts'
import type { Rule } from '../rule.ts'

const demanding: readonly string[] = ['optional', 'required', 'dpop']

export const proofAnyHost: Rule = {
  id: 'proof-any-host',
  severity: 'warning',
  about:
    'Proofs of possession are expected, and no `publicUrl` says for which host they must be made. Whoever lures a client to a host of their own can pass its proof on here under that name.',
  fix: 'Set `publicUrl` to the origin, or the origins, that clients call.',
  *find({ authenticators, publicUrl, listeners, trustedProxies }) {
    const isOpen = ({ host }: { readonly host: string }): boolean =>
      trustedProxies.length > 0 || !isLoopback(host)
    if (publicUrl.length > 0 || !listeners.some((each) => each.publicUrl.length === 0 && isOpen(each))) return
    for (const [name, settings] of Object.entries(authenticators)) {
      const mode = bindingOf(settings)?.mode
      if (mode !== undefined && demanding.includes(mode))
        yield {
          path: `authenticators.${name}.binding`,
          message: `"${name}" takes proofs that were made for any host`,
        }
    }
  },
}
