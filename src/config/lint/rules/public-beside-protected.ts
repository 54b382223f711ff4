import { routesWithPaths, type Rule } from '../rule.ts'

export const publicBesideProtected: Rule = {
  id: 'public-beside-protected',
  severity: 'warning',
  about:
    'A public route leads to an upstream that protected routes lead to as well. If the service takes a path differently from the gateway, the protected part is open.',
  fix: 'Give public content an upstream of its own, and keep assertions on so that the service can check.',
  *find(configuration) {
    const guarded = new Map(
      configuration.routes
        .filter(({ authenticate }) => authenticate.mode !== 'none')
        .map(({ upstream, id }) => [upstream, id]),
    )
    for (const [route, path] of routesWithPaths(configuration)) {
      const protectedRoute = route.authenticate.mode === 'none' ? guarded.get(route.upstream) : undefined
      if (protectedRoute === undefined) continue
      yield {
        path: `${path}.upstream`,
        message: `the public route "${route.id}" leads to the same upstream as the protected "${protectedRoute}"`,
      }
    }
  },
}
