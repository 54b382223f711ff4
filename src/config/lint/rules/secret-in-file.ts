import type { Rule } from '../rule.ts'

export const secretInFile: Rule = {
  id: 'secret-in-file',
  severity: 'warning',
  about: 'A secret is written out in the configuration. Configurations are copied, mailed and committed.',
  fix: 'Refer to it: `${env:NAME}` or `${file:PATH}`.',
  *find(_, { literalSecrets = [] }) {
    for (const path of literalSecrets) yield { path, message: 'a secret is written out in the configuration' }
  },
}
