/** W3C trace context: a valid one is continued with a span of our own, anything else begins a new trace. */
import { isNamed } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import { randomHex } from './request-id.ts'

export interface TraceContext {
  /** What goes upstream. */
  readonly traceparent: string
  readonly traceId: string
  /** The caller's `traceparent`, where it was valid: the parent of a span of ours. */
  readonly parent: string | undefined
  /** Only beside a valid parent. */
  readonly tracestate: string | undefined
}

const stateForm = /^[\x20-\x7e\t]*$/
const longestState = 512
/** Sampled, and the random flag of level 2; the others mean nothing that we could vouch for. */
const knownFlags = 0b11
const keptFlags = ['00', '01', '02', '03'] as const

/** @see https://www.w3.org/TR/trace-context/ */
export function traceContextOf(fields: FieldLines): TraceContext {
  let parent: string | undefined
  let isRepeated = false
  let state: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    if (isNamed(name, 'traceparent')) {
      isRepeated = parent !== undefined
      parent = fields[index + 1]!
    } else if (isNamed(name, 'tracestate')) {
      state = state === undefined ? fields[index + 1]! : `${state},${fields[index + 1]!}`
    }
  }
  if (parent === undefined || isRepeated) return newTrace()
  const isGood = state !== undefined && state !== '' && state.length <= longestState && stateForm.test(state)
  return continueTrace(parent, isGood ? state : undefined) ?? newTrace()
}

/** `version-traceid-spanid-flags`, in lower-case hexadecimal digits: where each part begins. */
const at = { traceId: 3, spanId: 36, flags: 53, end: 55 } as const

function continueTrace(parent: string, state: string | undefined): TraceContext | undefined {
  if (!isParent(parent)) return undefined
  const traceId = parent.slice(at.traceId, at.spanId - 1)
  const spanId = parent.slice(at.spanId, at.flags - 1)
  const kept = keptFlags[Number.parseInt(parent.slice(at.flags, at.end), 16) & knownFlags]!
  return {
    traceparent: `00-${traceId}-${randomHex(8)}-${kept}`,
    traceId,
    parent: `00-${traceId}-${spanId}-${kept}`,
    tracestate: state,
  }
}

function isParent(text: string): boolean {
  const { length } = text
  if (length < at.end || text[2] !== '-' || text[at.spanId - 1] !== '-' || text[at.flags - 1] !== '-')
    return false
  // Later versions may say more at the end; version 00 may not, and ff is none.
  if (length > at.end && (text[at.end] !== '-' || text.startsWith('00'))) return false
  if (text.startsWith('ff') || !areDigits(text, 0, 2) || !areDigits(text, at.flags, at.end)) return false
  return isId(text, at.traceId, at.spanId - 1) && isId(text, at.spanId, at.flags - 1)
}

function areDigits(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) {
    const code = text.charCodeAt(index)
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false
  }
  return true
}

/** Digits that are not all zero. */
function isId(text: string, from: number, to: number): boolean {
  if (!areDigits(text, from, to)) return false
  for (let index = from; index < to; index += 1) if (text.charCodeAt(index) !== 0x30) return true
  return false
}

/** Not sampled: nothing of ours records it, so we do not ask those behind us to. */
function newTrace(): TraceContext {
  const traceId = randomHex(16)
  return {
    traceparent: `00-${traceId}-${randomHex(8)}-00`,
    traceId,
    parent: undefined,
    tracestate: undefined,
  }
}
