import type { Rule } from '../rule.ts'

/** Found by the routing room, which knows what a pattern matches; it stands here for its documentation. */
export const shadowedRoute: Rule = {
  id: 'shadowed-route',
  severity: 'warning',
  about:
    'More specific routes take what a route would match, so that its rules are never, or not always, asked.',
  fix: 'Remove the route, or give it the methods and conditions that the more specific ones leave.',
  find: () => [],
}
