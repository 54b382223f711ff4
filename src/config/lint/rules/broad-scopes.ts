import { routesWithPaths, type Rule } from '../rule.ts'

const broad =
  /^(\*|.*[:./]\*|\.\*|all|admin|administrator|root|superuser|sudo|full|full[_-]?access|everything|default)$/i

export const broadScopes: Rule = {
  id: 'broad-scopes',
  severity: 'warning',
  about:
    'A route asks for a scope that says nothing exact (`admin`, `*`, `all`). Who has it for one thing has it for all.',
  fix: 'Ask for what the route does, such as `catalog:read`.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      for (const [index, scope] of (route.authorize?.scopes ?? []).entries()) {
        if (broad.test(scope))
          yield {
            path: `${path}.authorize.scopes[${index}]`,
            message: `the scope "${scope}" says nothing exact about "${route.id}"`,
          }
      }
    }
  },
}
