import { isJwt } from '../../../engine/authenticators/jwt/settings.ts'
import { formatDuration } from '../../scalars/quantities.ts'
import type { Rule } from '../rule.ts'

const day = 86_400_000

export const tokenLifetime: Rule = {
  id: 'token-lifetime',
  severity: 'warning',
  about:
    'A `jwt` authenticator takes tokens of any lifetime, or of more than 24 hours. A stolen token is good until it ends.',
  fix: 'Set `maxLifetime`, an hour if the provider allows.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isJwt(settings)) continue
      const { maxLifetime } = settings
      const path = `authenticators.${name}.maxLifetime`
      if (maxLifetime === undefined) yield { path, message: `"${name}" takes tokens of any lifetime` }
      else if (maxLifetime > day)
        yield { path, message: `"${name}" takes tokens that live for ${formatDuration(maxLifetime)}` }
    }
  },
}
