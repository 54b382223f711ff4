import type { Revocation, RevocationStore } from '../../ports/revocations.ts'

export function memoryRevocations(changed: () => void): RevocationStore {
  const entries = new Map<string, { readonly revocation: Revocation; readonly sequence: number }>()
  let sequence = 0
  return {
    add: async (revocation) => {
      const name = JSON.stringify([revocation.kind, revocation.issuer ?? '', revocation.value ?? ''])
      const before = entries.get(name)?.revocation
      sequence += 1
      entries.set(name, {
        revocation: before === undefined ? { ...revocation } : stronger(before, revocation),
        sequence,
      })
      changed()
    },
    bound: async ({ kind, issuer, value }, now) => {
      const name = JSON.stringify([kind, issuer ?? '', value ?? ''])
      const before = entries.get(name)?.revocation
      if (before === undefined || (!before.permanent && before.at <= now)) return false
      sequence += 1
      entries.set(name, { revocation: { ...before, at: now, permanent: false }, sequence })
      changed()
      return true
    },
    list: async () =>
      [...entries.values()].map(({ revocation }) => revocation).sort((a, b) => a.createdAt - b.createdAt),
    since: async (cursor) => ({
      revocations: [...entries.values()]
        .filter((entry) => entry.sequence > cursor)
        .map(({ revocation }) => revocation),
      cursor: sequence,
    }),
    prune: async (now) => {
      let dropped = 0
      for (const [name, { revocation }] of entries) {
        if (revocation.expiresAt === undefined || revocation.expiresAt > now) continue
        entries.delete(name)
        dropped += 1
      }
      if (dropped > 0) changed()
    },
  }
}

function stronger(before: Revocation, after: Revocation): Revocation {
  const { expiresAt: endBefore, reason: reasonBefore, ...rest } = before
  const reason = after.reason ?? reasonBefore
  return {
    ...rest,
    at: Math.max(before.at, after.at),
    permanent: before.permanent || after.permanent,
    ...(endBefore === undefined || after.expiresAt === undefined
      ? {}
      : { expiresAt: Math.max(endBefore, after.expiresAt) }),
    ...(reason === undefined ? {} : { reason }),
  }
}
