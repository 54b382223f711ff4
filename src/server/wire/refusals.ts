/** What cannot be served, in the words of refusals: bytes that the wire cannot read, and heads of step 1. */
import type { Reason } from '../../engine/errors.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Answer, ConnectionFacts, FieldLines } from '../../exchange.ts'
import type { WireFaultKind } from '../../wire/faults.ts'
import type { ListenerOptions } from '../listener.ts'
import { requestIdOf } from '../request-id.ts'

const reasons: Partial<Record<WireFaultKind, Reason>> = {
  method: 'method_invalid',
  target: 'target_invalid',
  'target-size': 'uri_too_long',
  'head-size': 'headers_too_large',
  'field-count': 'headers_too_large',
}

export function refusalOf(fault: WireFaultKind, detail: string): Refusal {
  return refuse(reasons[fault] ?? 'malformed_head', { detail })
}

/** What was read of a head before it was refused. */
export interface RefusedHead {
  readonly method: string
  readonly target: string
  readonly fields: FieldLines
}

const noFields: FieldLines = []

/** @returns the answer; undefined where whoever renders refusals threw, which they should not: then the connection ends without a word */
export function answerTo(
  refusal: Refusal,
  options: ListenerOptions,
  connection: ConnectionFacts,
  head: RefusedHead | undefined,
): Answer | undefined {
  try {
    return options.refuse(refusal, { requestId: requestIdOf(head?.fields ?? noFields), connection, ...head })
  } catch (fault) {
    options.onFault?.(fault)
    return undefined
  }
}
