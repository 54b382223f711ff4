/** Conditions in CEL: checked when a configuration is read, planned once, evaluated for each request. */
import { celEnv, celFunc, CelScalar, objectType, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { RE2JS } from '@bufbuild/re2'
import { Recent } from '../../recent.ts'
import { createContext, timestamp, type ConditionFacts } from './context.ts'
import { inspect, type Inspection, type Parsed } from './inspect.ts'

/** A condition, ready to be asked. */
export interface Condition {
  /** `error` where CEL cannot say: a missing member, a wrong type, a repeated field. Only `true` allows. */
  evaluate(facts: ConditionFacts): true | false | 'error'
  /** Names of claims, sorted; `*` when it may read any. */
  readonly claimsRead: readonly string[]
  /** `roles` and `scopes`, where it reads them. */
  readonly partsRead: readonly string[]
}

/** Longer ones belong into a policy engine. */
const longest = 4096

/** @returns in words what is wrong with the condition, or undefined when it may be used */
export function checkCondition(expression: string): string | undefined {
  const examined = examine(expression)
  return typeof examined === 'string' ? examined : undefined
}

/** @throws {TypeError} on what `checkCondition` finds fault with */
export function compileCondition(expression: string): Condition {
  const examined = examine(expression)
  if (typeof examined === 'string') throw new TypeError(examined)
  const { evaluate, inspection } = examined
  return {
    claimsRead: inspection.claimsRead,
    partsRead: inspection.partsRead,
    evaluate(facts) {
      try {
        const context = createContext(facts)
        const result = evaluate(context.variables)
        // An error is an object, and objects are truthy: nothing but the values themselves counts.
        if (context.touchedRepeated) return 'error'
        return result === true || result === false ? result : 'error'
      } catch {
        return 'error'
      }
    },
  }
}

interface Examined {
  readonly evaluate: ReturnType<typeof plan>
  readonly inspection: Inspection
}

function examine(expression: string): Examined | string {
  if (expression.trim() === '') return 'the condition is empty'
  if (expression.length > longest) return `the condition is longer than ${longest} characters`
  try {
    const parsed = parse(expression)
    const inspection = inspect(parsed)
    if (inspection.faults.length > 0) return inspection.faults.join('; ')
    const pattern = badPattern(parsed)
    return pattern ?? { evaluate: plan(celEnvironment(), parsed), inspection }
  } catch (error) {
    // The parser and the planner go down into each bracket on the stack.
    if (error instanceof RangeError) return 'the condition is nested too deeply'
    return syntaxError(error)
  }
}

let environment: ReturnType<typeof celEnv> | undefined

function celEnvironment(): ReturnType<typeof celEnv> {
  return (environment ??= createEnvironment())
}

/** The library compiles the pattern of `matches` for each evaluation; conditions have few, and bring them each time. */
const patterns = new Recent<ReturnType<typeof RE2JS.compile>>(256, 1024)

const re2 = {
  compile(pattern: string) {
    let compiled = patterns.get(pattern)
    if (compiled === undefined) patterns.set(pattern, (compiled = RE2JS.compile(pattern)))
    return compiled
  },
}

function createEnvironment(): ReturnType<typeof celEnv> {
  return celEnv({
    re2,
    funcs: [
      ...strings,
      // The library takes milliseconds here, CEL and every `auth_time` mean seconds.
      celFunc('timestamp', [CelScalar.INT], objectType('google.protobuf.Timestamp'), (seconds) => {
        if (seconds < -62_135_596_800n || seconds > 253_402_300_799n)
          throw new RangeError('timestamp out of range')
        return timestamp(Number(seconds) * 1000) as never
      }),
    ],
  })
}

/** A regular expression that cannot be read would refuse everybody: it is tried where it is written out. */
function badPattern({ expr }: Parsed): string | undefined {
  for (const pattern of literalPatterns(expr)) {
    const result = plan(celEnvironment(), parse(`"".matches(${JSON.stringify(pattern)})`))()
    if (typeof result !== 'boolean') return `"${pattern}" is no regular expression of RE2`
  }
  return undefined
}

/** Finds the argument of each `matches` by walking the plain objects of the tree. */
function* literalPatterns(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  const call = node as {
    function?: unknown
    args?: { exprKind?: { value?: { constantKind?: { value?: unknown } } } }[]
  }
  if (call.function === 'matches') {
    const pattern = call.args?.at(-1)?.exprKind?.value?.constantKind?.value
    if (typeof pattern === 'string') yield pattern
  }
  for (const child of Object.values(node)) yield* literalPatterns(child)
}

function syntaxError(error: unknown): string {
  const { location, rawMessage } = error as {
    location?: { start?: { line: number; column: number } }
    rawMessage?: string
  }
  const start = location?.start
  const where = start === undefined ? '' : ` at line ${start.line}, column ${start.column}`
  return `syntax error${where}: ${(rawMessage ?? 'not an expression').slice(0, 200)}`
}
