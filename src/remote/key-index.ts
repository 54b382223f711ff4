import type { VerificationKey } from '../ports/key-sets.ts'
import type { KeysByContent } from './jwk-set.ts'
import { fits } from './key-fit.ts'

/** One fetched set, ready to be asked. Immutable: a new set is a new index. */
export interface KeyIndex {
  readonly byContent: KeysByContent
  match(selector: { readonly kid?: string; readonly alg: string }): KeyMatch
  has(key: VerificationKey): boolean
  hasSameKeys(keys: KeysByContent): boolean
}

/**
 * `missing`: another set may have it, so fetching is worth while. `unfit`: the `kid` is published for something else.
 * `several`: no way to tell which. Neither of the last two gets better by fetching.
 */
export type KeyMatch = VerificationKey | 'missing' | 'unfit' | 'several'

export function indexKeys(byContent: KeysByContent): KeyIndex {
  const all = [...byContent.values()]
  const current = new Set(all)
  const byKid = Map.groupBy(all, (key) => key.kid)
  return {
    byContent,
    match({ kid, alg }) {
      const named = kid === undefined ? all : byKid.get(kid)
      if (named === undefined) return 'missing'
      const fitting = named.filter((key) => fits(key, alg))
      if (fitting.length > 1) return 'several'
      return fitting[0] ?? (kid === undefined ? 'missing' : 'unfit')
    },
    has: (key) => current.has(key),
    hasSameKeys: (keys) =>
      keys.size === byContent.size && [...keys.keys()].every((each) => byContent.has(each)),
  }
}
