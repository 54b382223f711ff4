import type { Rule } from '../rule.ts'

export const queryCredential: Rule = {
  id: 'query-credential',
  severity: 'warning',
  about:
    'An authenticator reads its credential from the query. URLs end up in logs, histories and `Referer` fields.',
  fix: 'Read it from a header field.',
  *find({ authenticators }) {
    for (const [name, settings] of Object.entries(authenticators)) {
      for (const [index, place] of settings.in.entries()) {
        if (place.kind !== 'query') continue
        yield {
          path: `authenticators.${name}.in[${index}]`,
          message: `"${name}" reads a credential from the URL, which ends up in logs and histories`,
        }
      }
    }
  },
}
