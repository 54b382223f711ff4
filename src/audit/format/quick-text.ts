/**
 * An event's JSON text, written by hand: the same bytes as `JSON.stringify` and `terminalSafeJson` would give, at a fraction of
 * their cost, since nearly all of an event is plain text and what is said of one caller is said again and again.
 */
import type { PendingEvent } from './event.ts'
import { terminalSafeJson } from './terminal-safe.ts'

/** Longer texts are not kept. Characters. */
const longestKept = 4096

/** Everything but spaces and visible ASCII that JSON does not escape. */
const unusual = /[^ !#-[\]-~]/

/**
 * @returns the members after the chain's own, without the opening brace
 * @throws whatever `JSON.stringify` throws, and a TypeError for a member of another type than it is declared: the caller then says it
 * the slow way, which knows no surprises
 */
export function quickMembers({ entry, configuration, count }: PendingEvent, instance: string): string {
  const { requestId, traceId, host, path, clientIp } = entry
  let text = beginning(instance, configuration) + word(type, entry.type) + word(outcome, entry.outcome)
  if (entry.reason !== undefined) text += word(reason, entry.reason)
  if (entry.code !== undefined) text += word(code, entry.code)
  if (entry.detail !== undefined) text += `,"detail":${quoted(entry.detail)}`
  // What nearly every event has, in one piece: a text of many pieces is slow to put together.
  if (isPlain(requestId) && isPlain(traceId)) text += `,"requestId":"${requestId}","traceId":"${traceId}"`
  else {
    if (requestId !== undefined) text += `,"requestId":${quoted(requestId)}`
    if (traceId !== undefined) text += `,"traceId":${quoted(traceId)}`
  }
  if (entry.route !== undefined) text += word(route, entry.route)
  if (entry.method !== undefined) text += word(method, entry.method)
  if (isPlain(host) && isPlain(path) && isPlain(clientIp))
    text += `,"host":"${host}","path":"${path}","clientIp":"${clientIp}"`
  else {
    if (host !== undefined) text += `,"host":${quoted(host)}`
    if (path !== undefined) text += `,"path":${quoted(path)}`
    if (clientIp !== undefined) text += `,"clientIp":${quoted(clientIp)}`
  }
  if (entry.tls !== undefined) text += member(tls, entry.tls)
  if (entry.authenticator !== undefined) text += word(authenticator, entry.authenticator)
  if (entry.credential !== undefined) text += member(credential, entry.credential)
  if (entry.identity !== undefined) text += member(identity, entry.identity)
  if (entry.durationMs !== undefined) text += `,"durationMs":${number(entry.durationMs)}`
  if (entry.report !== undefined) text += member(report, entry.report)
  if (count !== undefined) text += `,"count":${number(count)}`
  if (entry.data !== undefined) text += member(data, entry.data)
  return `${text}}`
}

let begun = { instance: '', configuration: '', text: '' }

/** Both change with a reload at most. */
function beginning(instance: string, configuration: string): string {
  if (begun.text === '' || begun.configuration !== configuration || begun.instance !== instance) {
    const text = `"instance":${quoted(instance)},"configuration":${quoted(configuration)}`
    begun = { instance, configuration, text }
  }
  return begun.text
}

function quoted(value: string): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected')
  return unusual.test(value) ? terminalSafeJson(JSON.stringify(value)) : `"${value}"`
}

function isPlain(value: string | undefined): boolean {
  return typeof value === 'string' && !unusual.test(value)
}

/** A member of few values, each with its text, the name included. */
interface Words {
  readonly name: string
  readonly texts: Map<string, string>
}

const [type, outcome, reason, code, route, method, authenticator] = [
  'type', 'outcome', 'reason', 'code', 'route', 'method', 'authenticator',
].map((name): Words => ({ name, texts: new Map() })) as [Words, Words, Words, Words, Words, Words, Words] // prettier-ignore
const mostWords = 10_000

/** A look-up is quicker than a look at each character. */
function word({ name, texts }: Words, value: string): string {
  let text = texts.get(value)
  if (text === undefined) {
    text = `,"${name}":${quoted(value)}`
    if (texts.size < mostWords && text.length <= 80) texts.set(value, text)
  }
  return text
}

function number(value: number): string {
  if (typeof value !== 'number') throw new TypeError('a number was expected')
  return Number.isFinite(value) ? `${value}` : 'null'
}

/** A member that is an object, with the texts of those that are frozen: they say the same each time. The name is included. */
interface Objects {
  readonly name: string
  readonly texts: WeakMap<object, string>
}

const [tls, credential, identity, report, data] = ['tls', 'credential', 'identity', 'report', 'data'].map(
  (name): Objects => ({ name, texts: new WeakMap() }),
) as [Objects, Objects, Objects, Objects, Objects]

function member({ name, texts }: Objects, value: object): string {
  const before = texts.get(value)
  if (before !== undefined) return before
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) return ''
  const text = `,"${name}":${terminalSafeJson(json)}`
  if (text.length <= longestKept && Object.isFrozen(value)) texts.set(value, text)
  return text
}
