/**
 * What the schema describes already and a later version builds: one line for each member, with the values that it may have
 * until then. To make something available, its line goes (or grows).
 */
import { isDeepStrictEqual } from 'node:util'
import { authenticatorKinds } from '../engine/authenticators/registry.ts'
import type { Complaint } from './fault.ts'
import { oneOf } from './issues.ts'
import type { Path } from './path.ts'
import { duration } from './scalars/quantities.ts'
import { readOr } from './scalars/scalar.ts'

interface Later {
  /** `*` is any name, `#` any index. */
  readonly path: readonly string[]
  /** Values that are taken in this version; none: the member cannot be used. */
  readonly only: readonly unknown[]
}

export const later: readonly Later[] = [
  { path: ['workers'], only: [1] },
  { path: ['forwardAuth'], only: [] },
  { path: ['extAuthz'], only: [] },
  { path: ['admin', 'tls'], only: [] },
  { path: ['admin', 'oidc'], only: [] },
  { path: ['store', 'url'], only: ['sqlite:*'] },
  { path: ['shared', 'url'], only: ['memory:'] },
  { path: ['shared', 'sessions'], only: ['store'] },
  { path: ['outage', 'sessions'], only: ['refuse'] },
  { path: ['outage', 'replay'], only: ['refuse'] },
  { path: ['outage', 'counters'], only: ['local'] },
  { path: ['audit', 'sinks', '#'], only: ['stdout'] },
  { path: ['authenticators', '*', 'type'], only: authenticatorKinds.map(({ type }) => type) },
  ...(['routes', 'defaults'] as const).flatMap((section) => {
    const base = section === 'routes' ? ['routes', '#'] : ['defaults']
    return [
      { path: [...base, 'authorize', 'cedar'], only: [] },
      { path: [...base, 'authorize', 'external'], only: [] },
    ]
  }),
  { path: ['routes', '#', 'report', 'authorize', 'cedar'], only: [] },
  { path: ['routes', '#', 'report', 'authorize', 'external'], only: [] },
]

/** @returns a complaint for each value that this version does not build; one for each authenticator or provider of a later type */
export function unavailable(tree: unknown): Complaint[] {
  const complaints = later.flatMap((each) => complainAbout(each.only, each.path, [], tree))
  const types = complaints.filter(({ path }) => path.length === 3 && path[2] === 'type')
  return complaints.filter(
    (complaint) =>
      types.includes(complaint) ||
      !types.some(({ path }) => path[0] === complaint.path[0] && path[1] === complaint.path[1]),
  )
}

/** @returns what a member may be in this version, where that is less than the schema says */
export function availableAt(path: Path): readonly unknown[] | undefined {
  return later.find(
    (each) =>
      each.path.length === path.length && each.path.every((step, index) => matches(step, path[index]!)),
  )?.only
}

function matches(step: string, actual: string | number): boolean {
  if (step === '#') return typeof actual === 'number'
  return step === '*' ? typeof actual === 'string' : step === actual
}

function complainAbout(
  only: readonly unknown[],
  rest: readonly string[],
  path: Path,
  value: unknown,
): Complaint[] {
  const [step, ...below] = rest
  if (step === undefined) {
    if (value === undefined || value === null || only.some((each) => isSame(each, value))) return []
    return [
      {
        path,
        message: notAvailable,
        expected: only.length === 0 ? 'this key left out' : oneOf(only.map(shown)),
      },
    ]
  }
  if (typeof value !== 'object' || value === null) return []
  const members: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : Object.entries(value)
  return members.flatMap(([key, member]) =>
    matches(step, key) ? complainAbout(only, below, [...path, key], member) : [],
  )
}

function shown(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/:\*$/, ':./FILE') : value
}

export const notAvailable = 'not available in this version'

function isSame(available: unknown, value: unknown): boolean {
  if (isDeepStrictEqual(available, value)) return true
  if (typeof available !== 'string' || typeof value !== 'string') return false
  if (available.endsWith(':*')) return value.startsWith(available.slice(0, -1))
  const length = readOr(duration, available)
  return length !== undefined && length === readOr(duration, value)
}
