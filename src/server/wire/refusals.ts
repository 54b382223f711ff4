/** What the wire cannot read, in the words of refusals. */
import type { Reason } from '../../engine/errors.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { WireFaultKind } from '../../wire/faults.ts'

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
