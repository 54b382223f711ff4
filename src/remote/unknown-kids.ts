/** The `kid`s that a fetched set was seen not to have: asking for one again must not become another fetch. */
export interface UnknownKids {
  add(kid: string, now: number): void
  has(kid: string, now: number): boolean
  /** A new set may have any of them. */
  clear(): void
}

const capacity = 1_000
const memory = 60_000

export function createUnknownKids(): UnknownKids {
  // In order of insertion, which is the order in which they are forgotten.
  const until = new Map<string, number>()
  return {
    add(kid, now) {
      until.delete(kid)
      if (until.size >= capacity) {
        const [oldest] = until.keys()
        if (oldest !== undefined) until.delete(oldest)
      }
      until.set(kid, now + memory)
    },
    has(kid, now) {
      const end = until.get(kid)
      if (end === undefined) return false
      if (now < end) return true
      until.delete(kid)
      return false
    },
    clear() {
      until.clear()
    },
  }
}
