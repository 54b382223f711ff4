import { isApiKey } from '../../../engine/authenticators/api-key/settings.ts'
import type { Rule } from '../rule.ts'

export const keysWithoutExpiry: Rule = {
  id: 'keys-without-expiry',
  severity: 'warning',
  about:
    'API keys may live for ever (`maxLifetime: none`), or keys in the store do. A key that nobody renews is a key that nobody misses when it is stolen.',
  fix: 'Set `maxLifetime`, and rotate the keys that never expire: `portcullis keys list` names them.',
  *find({ authenticators }, { keysWithoutExpiry: count = 0 }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      if (!isApiKey(settings) || settings.maxLifetime !== undefined) continue
      yield { path: `authenticators.${name}.maxLifetime`, message: `keys of "${name}" may live for ever` }
    }
    if (count > 0)
      yield {
        path: 'authenticators',
        message:
          count === 1 ? 'one key in the store never expires' : `${count} keys in the store never expire`,
      }
  },
}
