import { isJwt } from '../../../engine/authenticators/jwt/settings.ts'
import type { Rule } from '../rule.ts'

export const idTokensAccepted: Rule = {
  id: 'id-tokens-accepted',
  severity: 'warning',
  about:
    'A `jwt` authenticator takes ID tokens. They tell an application who signed in; they give no right to call an API, and end up in places where access tokens do not.',
  fix: 'Have clients send access tokens, and drop `accept: id-token`.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isJwt(settings) || settings.accept !== 'id-token') continue
      yield {
        path: `authenticators.${name}.accept`,
        message: `"${name}" takes ID tokens, which are no permission to call an API`,
      }
    }
  },
}
