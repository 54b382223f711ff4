/** The schema, asked about a whole tree; where a part is broken, the rest is still read, so that it can be checked too. */
import type { core } from 'zod'
import { availableAt } from './availability.ts'
import type { Complaint } from './fault.ts'
import { complaintsOf, expectationOf, oneOf } from './issues.ts'
import { formatPath, valueAt, type Path } from './path.ts'
import type { StandIn } from './references.ts'
import { configurationSchema, type ParsedConfiguration } from './schema.ts'

export interface ParseResult {
  readonly complaints: readonly Complaint[]
  /** What is whole of the configuration; undefined where nothing can be said of the rest. */
  readonly configuration: ParsedConfiguration | undefined
  /** Where the routes of `configuration` stand in the file. */
  readonly routeIndexes: readonly number[]
  /** The tree that was read: stand-ins may have changed on the way. */
  readonly tree: unknown
}

type Issue = core.$ZodIssue
type Tree = Record<string, unknown>

export function parse(resolved: unknown, standIns: ReadonlyMap<string, StandIn>): ParseResult {
  const tree = standIns.size === 0 ? resolved : settleStandIns(structuredClone(resolved), standIns)
  const first = read(tree)
  const complaints = complaintsOf(first.issues, tree).map(withinThisVersion)
  if (first.configuration !== undefined || !isTree(tree)) {
    return {
      complaints,
      configuration: first.configuration,
      routeIndexes: indexesOf(first.configuration?.routes),
      tree,
    }
  }
  return { complaints, ...readRest(tree, first.issues), tree }
}

function read(tree: unknown): {
  readonly configuration?: ParsedConfiguration
  readonly issues: readonly Issue[]
} {
  const result = configurationSchema.safeParse(tree, { error: expectationOf })
  return result.success ? { configuration: result.data, issues: [] } : { issues: result.error.issues }
}

/** What is named as possible is possible in this version. */
function withinThisVersion(complaint: Complaint): Complaint {
  const available = availableAt(complaint.path)
  if (available === undefined || available.length === 0 || !/^[\w-]+(,| or )/.test(complaint.expected ?? ''))
    return complaint
  const { suggestion, ...rest } = complaint
  const isOffered = suggestion !== undefined && available.map(String).includes(suggestion)
  return { ...(isOffered ? complaint : rest), expected: oneOf(available) }
}

/** Cuts out what is broken, the smallest part that stands for itself, until the rest is whole. */
function readRest(tree: Tree, issues: readonly Issue[]): Pick<ParseResult, 'configuration' | 'routeIndexes'> {
  const rest = structuredClone(tree)
  let routeIndexes = indexesOf(rest['routes'])
  let broken = issues
  for (let round = 0; round < 32; round++) {
    const doomed = new Set<number>()
    for (const issue of broken) cut(rest, issue, doomed)
    if (doomed.size > 0 && Array.isArray(rest['routes'])) {
      rest['routes'] = (rest['routes'] as unknown[]).filter((_, index) => !doomed.has(index))
      routeIndexes = routeIndexes.filter((_, index) => !doomed.has(index))
    }
    const empty = !Array.isArray(rest['routes']) || rest['routes'].length === 0
    const again = read({ ...rest, version: 1, ...(empty ? { routes: [placeholder] } : {}) })
    if (again.configuration !== undefined) {
      return empty
        ? { configuration: { ...again.configuration, routes: [] }, routeIndexes: [] }
        : { configuration: again.configuration, routeIndexes }
    }
    broken = again.issues
  }
  return { configuration: undefined, routeIndexes: [] }
}

/** The schema wants one route; where all are broken, this one stands there while the rest is read. */
const placeholder = { id: 'placeholder', match: { path: '/' }, upstream: 'placeholder' }

function cut(tree: Tree, issue: Issue, doomedRoutes: Set<number>): void {
  const path = issue.path as (string | number)[]
  if (issue.code === 'unrecognized_keys') {
    const parent = valueAt(tree, path) as Tree | undefined
    for (const key of issue.keys) delete parent?.[key]
  } else if (path.length > 0)
    cutAt(tree, valueAt(tree, path) === undefined ? path.slice(0, -1) : path, doomedRoutes)
}

function cutAt(tree: Tree, path: Path, doomedRoutes: Set<number>): void {
  const [section, index] = path
  if (path.length === 2 && section === 'routes' && typeof index === 'number') {
    doomedRoutes.add(index)
    return
  }
  const last = path.at(-1)
  if (last === undefined) return
  // A list with a broken item is broken: its other items would move to other places.
  if (typeof last === 'number') cutAt(tree, path.slice(0, -1), doomedRoutes)
  else delete (valueAt(tree, path.slice(0, -1)) as Tree | undefined)?.[last]
}

/** Tries other stand-ins where the schema refuses one. What remains refused is complained about as missing, later. */
function settleStandIns(tree: unknown, standIns: ReadonlyMap<string, StandIn>): unknown {
  const counts = new Map<string, number>()
  for (let round = 0; round < 16; round++) {
    let changed = false
    const refused = Map.groupBy(everyIssue(read(tree).issues, []), ({ path }) => formatPath(path))
    for (const [at, issues] of refused) {
      const standIn = standIns.get(at)
      if (standIn === undefined) continue
      const count = (counts.get(at) ?? 0) + 1
      const text =
        standIn.attempt(count) ?? issues.map(({ issue }) => wordOf(issue)).find((word) => word !== undefined)
      if (text === undefined || text === valueAt(tree, standIn.path)) continue
      counts.set(at, count)
      const parent = valueAt(tree, standIn.path.slice(0, -1)) as Record<string | number, unknown>
      parent[standIn.path.at(-1)!] = text
      changed = true
    }
    if (!changed) break
  }
  return tree
}

/** Also those inside the alternatives of a union, with their whole paths. */
function everyIssue(
  issues: readonly Issue[],
  prefix: Path,
): { readonly issue: Issue; readonly path: Path }[] {
  return issues.flatMap((issue) => {
    const path: Path = [...prefix, ...(issue.path as (string | number)[])]
    const inside =
      issue.code === 'invalid_union' ? issue.errors.flatMap((branch) => everyIssue(branch, path)) : []
    return [{ issue, path }, ...inside]
  })
}

function wordOf(issue: Issue): string | undefined {
  const { values, options } = issue as { values?: readonly unknown[]; options?: readonly unknown[] }
  return [...(values ?? []), ...(options ?? [])].find((value) => typeof value === 'string')
}

function indexesOf(routes: unknown): readonly number[] {
  return Array.isArray(routes) ? routes.map((_, index) => index) : []
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
