import { bindingOf } from '../../../engine/bindings/settings.ts'
import { formatDuration } from '../../scalars/quantities.ts'
import type { Rule } from '../rule.ts'

const longest = 300_000

export const proofWindow: Rule = {
  id: 'proof-window',
  severity: 'warning',
  about:
    'Proofs of possession are taken for more than five minutes (`dpop.window`). One that was made and not used is good for so long, and each used one is remembered for so long.',
  fix: 'Set `dpop.window` to a minute; clients sign each request anew.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      const window = bindingOf(settings)?.dpop.window ?? 0
      if (window > longest)
        yield {
          path: `authenticators.${name}.dpop.window`,
          message: `"${name}" takes proofs for ${formatDuration(window)}`,
        }
    }
  },
}
