/**
 * Looks at a parsed condition before any request comes: the library has no type checker, and a name that does not exist would only
 * show as a route that refuses everybody. Finds unknown names, calls that cannot work, comparisons that never hold, and which claims
 * are read.
 */
import type { parse } from '@bufbuild/cel'
import { inspectCall } from './inspect-call.ts'
import { nearest } from './suggest.ts'
import { kindWords, members, openMaps, typeNames, variables, type Kind } from './vocabulary.ts'

export type Parsed = ReturnType<typeof parse>
export type Expression = Parsed['expr']

export interface Inspection {
  /** In the order of the text; empty when the condition may be used. */
  readonly faults: readonly string[]
  /** Names of claims, sorted; `*` when it may read any. */
  readonly claimsRead: readonly string[]
  /** `roles` and `scopes`, where it reads them. */
  readonly partsRead: readonly string[]
}

/** How deep an expression may go: far beyond what anybody writes, far from where a stack ends. */
const deepest = 200

export function inspect(parsed: Parsed): Inspection {
  const walk = createWalk(parsed)
  const kind = walk.valueOf(parsed.expr, new Map())
  if (kind !== 'bool' && kind !== 'dyn')
    walk.fault(`a condition is true or false, and this is ${kindWords[kind]}`)
  return {
    faults: [...walk.faults],
    claimsRead: [...walk.claims].sort(),
    partsRead: [...walk.parts].sort(),
  }
}

/** Variables of a comprehension such as `exists(x, …)`. */
export type Scope = ReadonlyMap<string, Kind>

export interface Walk {
  readonly faults: Set<string>
  readonly claims: Set<string>
  readonly parts: Set<string>
  fault(words: string, at?: Expression): void
  /** The kind of an expression whose value is used as a whole. */
  valueOf(expression: Expression, scope: Scope): Kind
  /** The kind of an expression of which only a member is looked at. */
  kindOf(expression: Expression, scope: Scope): Kind
  /** The kind of one member, by a name that is written in the condition. */
  memberOf(of: Kind, name: string, at: Expression): Kind
}

function createWalk(parsed: Parsed): Walk {
  const positions = parsed.sourceInfo?.positions ?? {}
  let depth = 0
  const walk: Walk = {
    faults: new Set(),
    claims: new Set(),
    parts: new Set(),
    fault(words, at) {
      const offset = at === undefined ? undefined : positions[String(at.id)]
      walk.faults.add(offset === undefined ? words : `${words} (at character ${offset + 1})`)
    },
    valueOf(expression, scope) {
      const kind = walk.kindOf(expression, scope)
      if (kind === 'claims' || kind === 'identity') walk.claims.add('*')
      return kind
    },
    kindOf(expression, scope) {
      if (depth >= deepest) {
        walk.fault('the condition is nested too deeply')
        return 'dyn'
      }
      depth += 1
      const kind = inspectExpression(expression, scope, walk)
      depth -= 1
      return kind
    },
    memberOf: (of, name, at) => inspectMember(of, name, at, walk),
  }
  return walk
}

function inspectExpression(expression: Expression, scope: Scope, walk: Walk): Kind {
  const { exprKind } = expression
  switch (exprKind.case) {
    case 'constExpr':
      return constantKinds[exprKind.value.constantKind.case ?? 'nullValue'] ?? 'dyn'
    case 'identExpr':
      return inspectName(exprKind.value.name, expression, scope, walk)
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      if (operand === undefined) return 'dyn'
      const kind = walk.memberOf(walk.kindOf(operand, scope), field, expression)
      return testOnly ? 'bool' : kind
    }
    case 'callExpr':
      return inspectCall(exprKind.value, expression, scope, walk)
    case 'listExpr':
      for (const element of exprKind.value.elements) walk.valueOf(element, scope)
      return 'list'
    case 'structExpr':
      if (exprKind.value.messageName !== '')
        walk.fault(`there are no messages such as "${exprKind.value.messageName}"`, expression)
      for (const { keyKind, value } of exprKind.value.entries) {
        if (keyKind.case === 'mapKey') walk.valueOf(keyKind.value, scope)
        if (value !== undefined) walk.valueOf(value, scope)
      }
      return 'map'
    case 'comprehensionExpr': {
      const { iterRange, iterVar, accuVar, accuInit, loopCondition, loopStep, result } = exprKind.value
      if (iterRange === undefined || accuInit === undefined || loopStep === undefined || result === undefined)
        return 'dyn'
      const range = walk.valueOf(iterRange, scope)
      if (range !== 'list' && !openMaps.has(range)) {
        walk.fault(`${kindWords[range]} has no elements to go through`, iterRange)
      }
      const inner = new Map(scope).set(iterVar, 'dyn').set(accuVar, walk.valueOf(accuInit, scope))
      if (loopCondition !== undefined) walk.valueOf(loopCondition, inner)
      walk.valueOf(loopStep, inner)
      return walk.valueOf(result, inner)
    }
    case undefined:
      return 'dyn'
  }
}

const constantKinds: Readonly<Record<string, Kind>> = {
  boolValue: 'bool',
  int64Value: 'number',
  uint64Value: 'number',
  doubleValue: 'number',
  stringValue: 'string',
  bytesValue: 'bytes',
  nullValue: 'null',
}

function inspectName(name: string, at: Expression, scope: Scope, walk: Walk): Kind {
  const kind = scope.get(name) ?? variables.get(name)
  if (kind !== undefined) return kind
  if (typeNames.has(name)) return 'type'
  const meant = nearest(name, [...scope.keys(), ...variables.keys()]) ?? qualified(name)
  const hint =
    meant === undefined ? '; known are "identity", "request" and "route"' : `; did you mean "${meant}"?`
  walk.fault(`unknown name "${name}"${hint}`, at)
  return 'dyn'
}

/** `subject` for `identity.subject`: the likeliest slip of all. */
function qualified(name: string): string | undefined {
  for (const [variable, kind] of variables) {
    const meant = nearest(name, members.get(kind)?.keys() ?? [])
    if (meant !== undefined) return `${variable}.${meant}`
  }
  return undefined
}

function inspectMember(of: Kind, name: string, at: Expression, walk: Walk): Kind {
  const fixed = members.get(of)
  if (fixed !== undefined) {
    const kind = fixed.get(name)
    if (of === 'identity' && kind === 'list') walk.parts.add(name)
    if (kind !== undefined) return kind
    const meant = nearest(name, fixed.keys())
    const hint =
      meant === undefined ? `known are ${[...fixed.keys()].join(', ')}` : `did you mean "${of}.${meant}"?`
    walk.fault(`unknown name "${of}.${name}"; ${hint}`, at)
    return 'dyn'
  }
  if (of === 'claims') walk.claims.add(name)
  if (of === 'fields' && name !== name.toLowerCase()) {
    walk.fault(`names of headers are lower-case: request.headers["${name.toLowerCase()}"]`, at)
  }
  const kind = openMaps.get(of)
  if (kind === undefined) walk.fault(`${kindWords[of]} has no member "${name}"`, at)
  return kind ?? 'dyn'
}
