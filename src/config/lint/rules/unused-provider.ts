import type { Rule } from '../rule.ts'

export const unusedProvider: Rule = {
  id: 'unused-provider',
  severity: 'note',
  about: 'No authenticator uses a provider, and no route gets tokens of it for its backend.',
  fix: 'Use it in an authenticator, or remove it.',
  *find({ authenticators, providers, routes }) {
    const used = new Set([
      ...Object.values(authenticators).flatMap((each) => each.providers ?? []),
      ...routes.flatMap(({ forward }) => forward.backendToken?.provider ?? []),
    ])
    for (const name of Object.keys(providers)) {
      if (!used.has(name)) yield { path: `providers.${name}`, message: `nothing uses the provider "${name}"` }
    }
  },
}
