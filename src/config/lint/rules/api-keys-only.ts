import { isApiKey } from '../../../engine/authenticators/api-key/settings.ts'
import { namesOf, routesWithPaths, type Rule } from '../rule.ts'

export const apiKeysOnly: Rule = {
  id: 'api-keys-only',
  severity: 'warning',
  about:
    "A route that pages call (it has `cors`) takes API keys and nothing else. A key in a page is everybody's, and says nothing about the user. On other routes this is a note.",
  fix: 'Let users come with tokens of an identity provider (`jwt`), and keep API keys for machines.',
  *find(configuration) {
    for (const [route, path] of routesWithPaths(configuration)) {
      const names = namesOf(route.authenticate)
      if (names.length === 0 || !names.every((name) => isApiKey(configuration.authenticators[name]))) continue
      const isForPages = route.cors !== undefined
      yield {
        path: `${path}.authenticate`,
        message: isForPages
          ? `API keys are the only way into "${route.id}", which pages call: a key in a page is everybody's`
          : `API keys are the only way into "${route.id}": fit for machines, not for users`,
        severity: isForPages ? 'warning' : 'note',
      }
    }
  },
}
