import { namesOf, type Rule } from '../rule.ts'

export const unusedAuthenticator: Rule = {
  id: 'unused-authenticator',
  severity: 'warning',
  about: 'No route takes an authenticator. Somebody may believe that it guards something.',
  fix: 'Name it on a route, or remove it.',
  *find({ authenticators, routes }) {
    const used = new Set(
      routes.flatMap(({ authenticate, report }) => [
        ...namesOf(authenticate),
        ...(report?.authenticate === undefined ? [] : namesOf(report.authenticate)),
      ]),
    )
    for (const name of Object.keys(authenticators)) {
      if (!used.has(name))
        yield { path: `authenticators.${name}`, message: `no route takes the authenticator "${name}"` }
    }
  },
}
