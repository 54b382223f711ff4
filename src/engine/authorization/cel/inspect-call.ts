import type { Expression, Scope, Walk } from './inspect.ts'
import { nearest } from './suggest.ts'
import { functions, kindWords, macros, openMaps, type FunctionSignature, type Kind } from './vocabulary.ts'

type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value']

/** @returns the kind of what an operator or function gives */
export function inspectCall(call: Call, at: Expression, scope: Scope, walk: Walk): Kind {
  const operator = operators[call.function]
  if (operator !== undefined) return operator(call.args, at, scope, walk)
  return inspectFunction(call, at, scope, walk)
}

type Operator = (args: readonly Expression[], at: Expression, scope: Scope, walk: Walk) => Kind

const logical =
  (sign: string): Operator =>
  (args, _at, scope, walk) => {
    for (const arg of args) expectBool(sign, arg, scope, walk)
    return 'bool'
  }

function expectBool(sign: string, arg: Expression, scope: Scope, walk: Walk): void {
  const kind = walk.valueOf(arg, scope)
  if (kind !== 'bool' && kind !== 'dyn')
    walk.fault(`"${sign}" takes true or false, and this is ${kindWords[kind]}`, arg)
}

/** Values of different kinds are never equal: `==` would refuse everybody, and `!=` let everybody in. */
const equality: Operator = ([left, right], at, scope, walk) => {
  const a = left === undefined ? 'dyn' : walk.valueOf(left, scope)
  const b = right === undefined ? 'dyn' : walk.valueOf(right, scope)
  const isOpen = a === 'dyn' || b === 'dyn' || a === 'null' || b === 'null'
  if (!isOpen && a !== b && !(openMaps.has(a) && openMaps.has(b))) {
    const hint = a === 'list' && b === 'string' ? '; did you mean "in"?' : ''
    walk.fault(`${kindWords[a]} is never equal to ${kindWords[b]}${hint}`, at)
  }
  return 'bool'
}

const order: Operator = ([left, right], at, scope, walk) => {
  const a = left === undefined ? 'dyn' : walk.valueOf(left, scope)
  const b = right === undefined ? 'dyn' : walk.valueOf(right, scope)
  if (a !== 'dyn' && b !== 'dyn' && a !== b)
    walk.fault(`${kindWords[a]} is neither more nor less than ${kindWords[b]}`, at)
  return 'bool'
}

const arithmetic: Operator = (args, _at, scope, walk) => {
  const kinds = args.map((arg) => walk.valueOf(arg, scope))
  return kinds.every((kind) => kind === kinds[0]) && kinds[0] !== 'timestamp' ? (kinds[0] ?? 'dyn') : 'dyn'
}

const operators: Readonly<Record<string, Operator | undefined>> = {
  '_&&_': logical('&&'),
  '_||_': logical('||'),
  '!_': logical('!'),
  '@not_strictly_false': (args, _at, scope, walk) => {
    for (const arg of args) walk.valueOf(arg, scope)
    return 'bool'
  },
  '_==_': equality,
  '_!=_': equality,
  '_<_': order,
  '_<=_': order,
  '_>_': order,
  '_>=_': order,
  '_+_': arithmetic,
  '_-_': arithmetic,
  '_*_': arithmetic,
  '_/_': arithmetic,
  '_%_': arithmetic,
  '-_': arithmetic,
  '_?_:_': ([test, yes, no], _at, scope, walk) => {
    if (test !== undefined) expectBool('?', test, scope, walk)
    const a = yes === undefined ? 'dyn' : walk.valueOf(yes, scope)
    const b = no === undefined ? 'dyn' : walk.valueOf(no, scope)
    return a === b ? a : 'dyn'
  },
  '@in': ([item, among], at, scope, walk) => {
    const name = item === undefined ? undefined : literal(item)
    const kind = among === undefined ? 'dyn' : walk.kindOf(among, scope)
    if (item !== undefined) walk.valueOf(item, scope)
    if (name !== undefined && kind !== 'list' && kind !== 'string') walk.memberOf(kind, name, at)
    else if (kind === 'claims') walk.claims.add('*')
    else if (kind !== 'list' && !openMaps.has(kind)) walk.fault(`nothing is "in" ${kindWords[kind]}`, at)
    return 'bool'
  },
  '_[_]': ([of, key], at, scope, walk) => {
    const kind = of === undefined ? 'dyn' : walk.kindOf(of, scope)
    const name = key === undefined ? undefined : literal(key)
    if (name !== undefined) return walk.memberOf(kind, name, at)
    if (key !== undefined) walk.valueOf(key, scope)
    if (kind === 'claims' || kind === 'identity') walk.claims.add('*')
    if (kind === 'string') walk.fault('a string has no elements: use charAt()', at)
    return openMaps.get(kind) ?? 'dyn'
  },
}

function literal({ exprKind }: Expression): string | undefined {
  if (exprKind.case !== 'constExpr') return undefined
  const { constantKind } = exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : undefined
}

function inspectFunction(call: Call, at: Expression, scope: Scope, walk: Walk): Kind {
  const { function: name, args, target } = call
  const on = target === undefined ? undefined : walk.valueOf(target, scope)
  for (const arg of args) walk.valueOf(arg, scope)
  if (macros.has(name)) {
    walk.fault(`"${name}" is written like ${macroForms[name] ?? `list.${name}(x, condition on x)`}`, at)
    return 'dyn'
  }
  const signatures = functions.get(name)
  if (signatures === undefined) {
    const meant = nearest(name, [...functions.keys(), ...macros])
    walk.fault(`unknown function "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`, at)
    return 'dyn'
  }
  const fitting = signatures.filter(({ on: kinds }) => (kinds === undefined) === (on === undefined))
  const fault = faultOfCall(name, fitting, on, args.length)
  if (fault !== undefined) walk.fault(fault, at)
  return (fitting[0] ?? signatures[0])?.gives ?? 'dyn'
}

const macroForms: Readonly<Record<string, string>> = { has: 'has(identity.claims.name)' }

function faultOfCall(
  name: string,
  fitting: readonly FunctionSignature[],
  on: Kind | undefined,
  count: number,
): string | undefined {
  const [signature] = fitting
  if (signature === undefined) {
    return on === undefined
      ? `"${name}" is called on a value: value.${name}(…)`
      : `"${name}" is no method: ${name}(…)`
  }
  if (on !== undefined && on !== 'dyn' && signature.on?.includes(on) === false) {
    const hint = on === 'list' && name === 'contains' ? '; did you mean "in"?' : ''
    return `"${name}" cannot be called on ${kindWords[on]}${hint}`
  }
  const [least, most] = signature.takes
  if (count >= least && count <= most) return undefined
  const range = least === most ? String(least) : `${least} to ${most}`
  return `"${name}" takes ${range} argument${most === 1 ? '' : 's'}, and there ${count === 1 ? 'is 1' : `are ${count}`}`
}
