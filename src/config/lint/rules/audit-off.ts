import type { Rule } from '../rule.ts'

export const auditOff: Rule = {
  id: 'audit-off',
  severity: 'warning',
  about: 'The audit log is off. Nobody can say later who did what, or who tried.',
  fix: 'Remove `audit: off`.',
  *find({ audit }) {
    if (audit === 'off')
      yield { path: 'audit', message: 'the audit log is off: nobody can say later who did what' }
  },
}
