/**
 * Which fields that come beside an answer's head, in trailers or in interim answers, may reach the client: nothing that frames,
 * routes, authenticates, sets cookies, caches or says how the content is to be read, since a recipient that merges them into
 * the head would act on it, and nobody looks at them as at a head.
 * @see RFC 9110, sections 6.5.1 and 15.2
 */
import { hopByHopNames } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import { endToEndFields } from './response-head.ts'

const refused: ReadonlySet<string> = new Set([
  ...hopByHopNames,
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'host',
  'location',
  'pragma',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
  'x-request-id',
])
const refusedFamilies = /^(?:access-control|sec|x-auth|x-portcullis|portcullis)-/

/** @returns the field lines that pass; undefined where there are none */
export function passableBeside(lines: FieldLines): FieldLines | undefined {
  if (lines.length === 0) {
    return undefined
  }
  const fields = endToEndFields(lines) ?? []
  const passed: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase()
    if (!refused.has(name) && !refusedFamilies.test(name)) {
      passed.push(fields[index]!, fields[index + 1]!)
    }
  }
  return passed.length === 0 ? undefined : passed
}
