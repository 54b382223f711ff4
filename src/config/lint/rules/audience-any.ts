import { isJwt } from '../../../engine/authenticators/jwt/settings.ts'
import type { Rule } from '../rule.ts'

export const audienceAny: Rule = {
  id: 'audience-any',
  severity: 'warning',
  about:
    'A `jwt` authenticator takes tokens whatever their audience (`audience: any`). Whoever gets a token for some other service can use it here.',
  fix: 'Name the audience of your API, as the provider writes it into `aud`.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isJwt(settings) || settings.audience !== 'any') continue
      yield {
        path: `authenticators.${name}.audience`,
        message: `"${name}" takes tokens that were meant for other services`,
      }
    }
  },
}
