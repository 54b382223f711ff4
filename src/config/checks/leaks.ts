/** Leak reports: each signing key under a name of its own. */
import type { Check } from './check.ts'

export const checkLeaks: Check = function* ({ configuration }) {
  const keys = configuration.leaks?.github?.keys ?? []
  for (const [index, { id }] of keys.entries()) {
    if (keys.findIndex((other) => other.id === id) === index) continue
    yield {
      path: ['leaks', 'github', 'keys', index, 'id'],
      message: 'another key has this id',
      expected: 'each key once, under the id that GitHub gives it',
    }
  }
}
