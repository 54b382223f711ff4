import type { RouteSettings } from '../configuration.ts'
import { canonicalName, isFieldName, isFieldValue } from '../engine/fields.ts'
import { reservedNames } from './strip.ts'

/**
 * @returns in words what of a route's `forward` cannot be done: names that are no names, or that the gateway or the connection
 *   writes itself, and values that would break a line
 */
export function findForwardFaults({ forward }: RouteSettings): readonly string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  const told = forward.headers === false ? [] : Object.values(forward.headers)
  for (const name of [...told, ...Object.keys(forward.set)]) {
    const folded = canonicalName(name)
    if (!isFieldName(name)) faults.push(`"${name}" is no name of a header`)
    else if (reservedNames.has(folded))
      faults.push(`"${name}" is written by the gateway or belongs to the connection`)
    else if (seen.has(folded)) faults.push(`"${name}" is written twice`)
    seen.add(folded)
  }
  if (forward.backendToken !== undefined && seen.has('authorization'))
    faults.push('"authorization" is written by the gateway: the token for the upstream')
  for (const [name, value] of Object.entries(forward.set)) {
    if (!isFieldValue(value)) faults.push(`the value of "${name}" holds what no header may hold`)
  }
  return faults
}
