import { isLoopback } from '../../scalars/network.ts'
import { routesWithPaths, type Rule } from '../rule.ts'

export const upstreamCannotTell: Rule = {
  id: 'upstream-cannot-tell',
  severity: 'warning',
  about:
    'A service on another machine gets identities over plain HTTP and without an assertion. Whoever reaches it can write the same header fields.',
  fix: 'Leave `forward.assertion` on and have the service verify it, or use https:// with a client certificate.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      if (route.forward.assertion || route.authenticate.mode === 'none') continue
      const plain = configuration.upstreams[route.upstream]?.targets.find(
        ({ url }) => url.startsWith('http:') && !isLoopback(new URL(url).hostname),
      )
      if (plain === undefined) continue
      yield {
        path: `${path}.forward`,
        message: `"${route.upstream}" cannot tell the gateway's requests from anybody else's: plain HTTP, and no assertion`,
      }
    }
  },
}
