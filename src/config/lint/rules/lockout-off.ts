import type { Rule } from '../rule.ts'

export const lockoutOff: Rule = {
  id: 'lockout-off',
  severity: 'warning',
  about: 'The lockout is off. An address may guess credentials as fast as the gateway can check them.',
  fix: 'Remove `lockout: off`.',
  *find({ lockout }) {
    if (lockout === 'off')
      yield { path: 'lockout', message: 'the lockout is off: credentials may be guessed at full speed' }
  },
}
