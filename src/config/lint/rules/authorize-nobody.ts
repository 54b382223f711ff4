import { routesWithPaths, type Rule } from '../rule.ts'

export const authorizeNobody: Rule = {
  id: 'authorize-nobody',
  severity: 'error',
  about:
    'A public route asks for scopes, roles or claims, which nobody has without a credential: every request is refused.',
  fix: 'Name authenticators on the route, or give it `authorize: {}`.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      const { scopes, roles, claims, acr, maxAge } = route.authorize ?? {}
      const asks = [scopes, roles, claims, acr, maxAge].some((each) => each !== undefined)
      if (route.authenticate.mode !== 'none' || !asks) continue
      yield {
        path: `${path}.authorize`,
        message: `nobody can pass "${route.id}": it is public, and asks for what only a credential brings`,
      }
    }
  },
}
