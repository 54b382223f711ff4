import type { Rule } from '../rule.ts'

export const unusedUpstream: Rule = {
  id: 'unused-upstream',
  severity: 'note',
  about: 'No route leads to an upstream.',
  fix: 'Name it on a route, or remove it.',
  *find({ routes, upstreams }) {
    const used = new Set(routes.map(({ upstream }) => upstream))
    for (const name of Object.keys(upstreams)) {
      if (!used.has(name))
        yield { path: `upstreams.${name}`, message: `no route leads to the upstream "${name}"` }
    }
  },
}
