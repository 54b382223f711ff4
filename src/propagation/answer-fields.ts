/** What of an upstream's answer reaches the client, before the gateway adds its own. */
import type { HeaderEdits } from '../configuration.ts'
import { isOwnCookie, setCookieName } from '../engine/cookies.ts'
import { hopByHopNames, lowerName } from '../engine/fields.ts'
import { NameFilter } from '../engine/name-filter.ts'
import type { FieldLines } from '../exchange.ts'

export interface AnswerRules {
  /** Of a route with `cors`: which names the gateway speaks for alone. */
  readonly dropsCors: ((name: string) => boolean) | undefined
  /** True on a route whose limits the gateway tells: an upstream's own would contradict them. */
  readonly dropsLimits?: boolean
  /** Told the name, where an upstream tried to set a cookie that is the gateway's. */
  readonly onOwnCookie: (name: string) => void
}

/** The gateway's own word, whoever else says it. */
const own = ['x-request-id', 'portcullis-key-expires']
/** What `dropsCors` may be asked about. */
const corsBeginning = 'access-control-'
const limits: ReadonlySet<string> = new Set(['ratelimit', 'ratelimit-policy'])

/** @returns the upstream's field lines as the route wants them; a new array, to which the caller adds the gateway's */
export function editAnswerFields(fields: FieldLines, edits: HeaderEdits, rules: AnswerRules): string[] {
  const { dropped, concerned, added } = compileEdits(edits)
  const out: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]!
    if (!concerned.mayHave(name)) {
      out.push(name, value)
      continue
    }
    const lower = lowerName(name)
    if (dropped.has(lower) || (rules.dropsLimits === true && limits.has(lower))) continue
    if (rules.dropsCors?.(lower) === true) continue
    if (lower === 'set-cookie') {
      const cookie = setCookieName(value)
      if (isOwnCookie(cookie)) {
        rules.onOwnCookie(cookie)
        continue
      }
    }
    out.push(name, value)
  }
  for (const part of added) out.push(part)
  return out
}

interface CompiledEdits {
  readonly dropped: ReadonlySet<string>
  /** All names that are looked at here, whatever the rules. */
  readonly concerned: NameFilter
  readonly added: FieldLines
}

const compiled = new WeakMap<HeaderEdits, CompiledEdits>()

function compileEdits(edits: HeaderEdits): CompiledEdits {
  let known = compiled.get(edits)
  if (known === undefined) {
    // The framing of an answer is the data plane's: an edit must not make two answers out of one.
    const set = Object.entries(edits.set).filter(([name]) => !isFraming(name.toLowerCase()))
    const removed = [...edits.remove, ...set.map(([name]) => name)].map((name) => name.toLowerCase())
    const dropped = new Set([...own, ...removed.filter((name) => !isFraming(name))])
    const concerned = new NameFilter([...dropped, ...limits, 'set-cookie'], [corsBeginning])
    known = { dropped, concerned, added: set.flat() }
    compiled.set(edits, known)
  }
  return known
}

function isFraming(name: string): boolean {
  return name === 'content-length' || hopByHopNames.has(name)
}
