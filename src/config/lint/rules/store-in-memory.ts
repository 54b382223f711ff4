import type { Rule } from '../rule.ts'

export const storeInMemory: Rule = {
  id: 'store-in-memory',
  severity: 'warning',
  about: 'The store lives in memory: keys and revocations are gone after a restart.',
  fix: 'Name a file: `store: { url: "sqlite:./portcullis.db" }`.',
  *find({ store }) {
    if (store.path === ':memory:')
      yield { path: 'store.url', message: 'keys and revocations are gone after a restart' }
  },
}
