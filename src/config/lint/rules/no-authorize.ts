import { routesWithPaths, type Rule } from '../rule.ts'

export const noAuthorize: Rule = {
  id: 'no-authorize',
  severity: 'warning',
  about: 'A route says who may come in, but not what they may do: any authenticated caller passes.',
  fix: 'Add `authorize` with scopes, roles or a condition; `authorize: {}` says that any caller is meant.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      if (route.authenticate.mode === 'none' || route.authorize !== undefined) continue
      yield { path, message: `any authenticated caller passes "${route.id}"` }
    }
  },
}
