import { isJwt } from '../../../engine/authenticators/jwt/settings.ts'
import type { Rule } from '../rule.ts'

export const hmacSecret: Rule = {
  id: 'hmac-secret',
  severity: 'warning',
  about:
    'A `jwt` authenticator verifies with a shared secret. Everybody who can verify with it can also sign, and it has to be carried to every verifier.',
  fix: 'Let the issuer sign with a private key (ES256, EdDSA, RS256) and publish its keys.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isJwt(settings) || !settings.algorithms.some((each) => each.startsWith('HS'))) continue
      yield {
        path: `authenticators.${name}.algorithms`,
        message: `"${name}" verifies with a shared secret: who verifies can also sign`,
      }
    }
  },
}
