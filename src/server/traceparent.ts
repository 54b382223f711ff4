/** W3C trace context: a valid one is continued with a span of our own, anything else begins a new trace. */
import { isNamed } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import { randomHex } from './request-id.ts'

export interface TraceContext {
  /** What goes upstream. */
  readonly traceparent: string
  readonly traceId: string
  /** The caller's `traceparent`, where it was valid: the parent of a span of ours. */
  readonly parent?: string
  /** Only beside a valid parent. */
  readonly tracestate?: string
}

const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const stateForm = /^[\x20-\x7e\t]*$/
const longestState = 512
/** Sampled, and the random flag of level 2; the others mean nothing that we could vouch for. */
const knownFlags = 0b11

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
  const continued = parent === undefined || isRepeated ? undefined : continueTrace(parent)
  if (continued === undefined) return newTrace()
  return state === undefined || state === '' || state.length > longestState || !stateForm.test(state)
    ? continued
    : { ...continued, tracestate: state }
}

function continueTrace(parent: string): TraceContext | undefined {
  const match = form.exec(parent)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = match
  // Later versions may say more at the end; version 00 may not, and ff is none.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  const kept = (Number.parseInt(flags, 16) & knownFlags).toString(16).padStart(2, '0')
  return {
    traceparent: `00-${traceId}-${randomHex(8)}-${kept}`,
    traceId,
    parent: `00-${traceId}-${spanId}-${kept}`,
  }
}

/** Not sampled: nothing of ours records it, so we do not ask those behind us to. */
function newTrace(): TraceContext {
  const traceId = randomHex(16)
  return { traceparent: `00-${traceId}-${randomHex(8)}-00`, traceId }
}
