/**
 * Which trailer fields of a response may reach the client: nothing that frames, routes, authenticates, caches or says
 * how the content is to be read, since a recipient that merges trailers into the head would act on it.
 * @see RFC 9110, section 6.5.1
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
export function passableTrailers(trailers: FieldLines): FieldLines | undefined {
  if (trailers.length === 0) {
    return undefined
  }
  const fields = endToEndFields(trailers) ?? []
  const passed: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase()
    if (!refused.has(name) && !refusedFamilies.test(name)) {
      passed.push(fields[index]!, fields[index + 1]!)
    }
  }
  return passed.length === 0 ? undefined : passed
}
