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
  const { requestId, traceId, route, method, host, path, clientIp } = entry
  let text = `${beginning(instance, configuration)}${word(entry.type)},"outcome":${word(entry.outcome)}`
  if (entry.reason !== undefined) text += `,"reason":${word(entry.reason)}`
  if (entry.code !== undefined) text += `,"code":${word(entry.code)}`
  if (entry.detail !== undefined) text += `,"detail":${quoted(entry.detail)}`
  if (requestId !== undefined) text += `,"requestId":${quoted(requestId)}`
  if (traceId !== undefined) text += `,"traceId":${quoted(traceId)}`
  if (route !== undefined) text += `,"route":${word(route)}`
  if (method !== undefined) text += `,"method":${word(method)}`
  if (host !== undefined) text += `,"host":${quoted(host)}`
  if (path !== undefined) text += `,"path":${quoted(path)}`
  if (clientIp !== undefined) text += `,"clientIp":${quoted(clientIp)}`
  if (entry.tls !== undefined) text += member(',"tls":', entry.tls)
  if (entry.authenticator !== undefined) text += `,"authenticator":${word(entry.authenticator)}`
  if (entry.credential !== undefined) text += member(',"credential":', entry.credential)
  if (entry.identity !== undefined) text += member(',"identity":', entry.identity)
  if (entry.durationMs !== undefined) text += `,"durationMs":${number(entry.durationMs)}`
  if (entry.report !== undefined) text += member(',"report":', entry.report)
  if (count !== undefined) text += `,"count":${number(count)}`
  if (entry.data !== undefined) text += member(',"data":', entry.data)
  return `${text}}`
}

let begun = { instance: '', configuration: '', text: '' }

/** Both change with a reload at most. */
function beginning(instance: string, configuration: string): string {
  if (begun.text === '' || begun.configuration !== configuration || begun.instance !== instance) {
    const text = `"instance":${quoted(instance)},"configuration":${quoted(configuration)},"type":`
    begun = { instance, configuration, text }
  }
  return begun.text
}

function quoted(value: string): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected')
  return unusual.test(value) ? terminalSafeJson(JSON.stringify(value)) : `"${value}"`
}

const words = new Map<string, string>()
const mostWords = 1000

/** For what has few values: a look-up is quicker than a look at each character. */
function word(value: string): string {
  let text = words.get(value)
  if (text === undefined) {
    text = quoted(value)
    if (words.size < mostWords && text.length <= 64) words.set(value, text)
  }
  return text
}

function number(value: number): string {
  if (typeof value !== 'number') throw new TypeError('a number was expected')
  return Number.isFinite(value) ? `${value}` : 'null'
}

// Only what is frozen: it says the same each time.
const kept = new WeakMap<object, string>()

function member(name: string, value: object): string {
  const before = kept.get(value)
  if (before !== undefined) return name + before
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) return ''
  const text = terminalSafeJson(json)
  if (text.length <= longestKept && Object.isFrozen(value)) kept.set(value, text)
  return name + text
}
