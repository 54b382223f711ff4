import { routesWithPaths, type Rule } from '../rule.ts'

export const credentialKept: Rule = {
  id: 'credential-kept',
  severity: 'note',
  about: "A route passes the caller's credential on. The service, and whoever reads its logs, can use it.",
  fix: 'Drop `credential: keep`; the service gets the identity in header fields and in the assertion.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      if (route.forward.credential === 'keep')
        yield {
          path: `${path}.forward.credential`,
          message: `"${route.upstream}" gets the callers' own credentials`,
        }
    }
  },
}
