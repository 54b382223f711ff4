import type { Rule } from '../rule.ts'

export const unusedProvider: Rule = {
  id: 'unused-provider',
  severity: 'note',
  about: 'No authenticator uses a provider.',
  fix: 'Use it in an authenticator, or remove it.',
  *find({ authenticators, providers }) {
    const used = new Set(Object.values(authenticators).flatMap((each) => each.providers ?? []))
    for (const name of Object.keys(providers)) {
      if (!used.has(name))
        yield { path: `providers.${name}`, message: `no authenticator uses the provider "${name}"` }
    }
  },
}
