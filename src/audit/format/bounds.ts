/**
 * Bounds for an event that is too large to be written as it is, or that JSON cannot say. Claims, paths and hosts are
 * chosen by strangers, and a log line must not become their storage.
 */
const budgets: Readonly<Record<string, number>> = { path: 2048, detail: 1024, identity: 4096, data: 2048 }
const otherBudget = 512
const longestString = 1024
const deepest = 6

/** Cuts each member to its budget (characters). What was cut says so in its place. Never throws for odd values. */
export function boundMembers(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      const budget = budgets[name] ?? otherBudget
      return [name, bound(value, { left: budget }, 0)]
    }),
  )
}

interface Budget {
  left: number
}

function bound(value: unknown, budget: Budget, depth: number): unknown {
  if (typeof value === 'string') return boundString(value, budget)
  if (typeof value === 'bigint') return boundString(String(value), budget)
  if (typeof value === 'number' || typeof value === 'boolean') {
    budget.left -= 8
    return value
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= deepest) return '[cut: too deep]'
  // A secret says its placeholder here, as it would in JSON.stringify.
  if ('toJSON' in value && typeof value.toJSON === 'function') return bound(value.toJSON(), budget, depth + 1)
  return Array.isArray(value) ? boundArray(value, budget, depth) : boundObject(value, budget, depth)
}

function boundString(value: string, budget: Budget): string {
  const room = Math.max(0, Math.min(longestString, budget.left))
  budget.left -= Math.min(value.length, room) + 2
  // `toWellFormed`: a cut through a surrogate pair must not make a line that other readers reject.
  return value.length <= room
    ? value
    : `${value.slice(0, room).toWellFormed()}[cut: ${value.length - room} more characters]`
}

function boundArray(value: readonly unknown[], budget: Budget, depth: number): unknown[] {
  const kept: unknown[] = []
  for (const item of value) {
    if (budget.left <= 0) return [...kept, `[cut: ${value.length - kept.length} more]`]
    kept.push(bound(item, budget, depth + 1))
  }
  return kept
}

function boundObject(value: object, budget: Budget, depth: number): Record<string, unknown> {
  const entries = Object.entries(value)
  const kept: [string, unknown][] = []
  for (const [name, item] of entries) {
    if (budget.left <= 0)
      return Object.fromEntries([...kept, ['[cut]', `${entries.length - kept.length} more`]])
    kept.push([boundString(name, budget), bound(item, budget, depth + 1)])
  }
  return Object.fromEntries(kept)
}
