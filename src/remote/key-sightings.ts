/** When each published key was first and last seen: what an operator asks while a provider replaces its keys. In memory only. */
import type { VerificationKey } from '../ports/key-sets.ts'
import type { KeysByContent } from './jwk-set.ts'

/** Milliseconds since the epoch. */
export interface KeySighting {
  readonly key: VerificationKey
  readonly firstSeenAt: number
  readonly lastSeenAt: number
}

export interface KeySightings {
  /** These, and no others, were just published. */
  saw(keys: KeysByContent, now: number): void
  /** Of the last set, in its order. */
  current(): readonly KeySighting[]
  /** Keys that left the set, the one that left last first; the last twenty. */
  gone(): readonly KeySighting[]
}

const mostGone = 20

export function createKeySightings(): KeySightings {
  let current = new Map<string, KeySighting>()
  let gone = new Map<string, KeySighting>()
  return {
    saw(keys, now) {
      const left = [...current].filter(([content]) => !keys.has(content)).toReversed()
      const known = (content: string): KeySighting | undefined => current.get(content) ?? gone.get(content)
      const next = [...keys].map(([content, key]): [string, KeySighting] => [
        content,
        { key, firstSeenAt: known(content)?.firstSeenAt ?? now, lastSeenAt: now },
      ])
      const before = [...gone].filter(([content]) => !keys.has(content))
      gone = new Map([...left, ...before].slice(0, mostGone))
      current = new Map(next)
    },
    current: () => [...current.values()],
    gone: () => [...gone.values()],
  }
}
