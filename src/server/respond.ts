/** The field lines that an answer leaves with: what the gateway adds to its own, and what of an upstream's may not pass. */
import { isNamed } from '../engine/fields.ts'
import type { Answer, FieldLines } from '../exchange.ts'

/**
 * Lines of an answer of the gateway's own. `Date` is the writer's.
 *
 * @param length bytes of the body, told also where the body is not sent (HEAD)
 */
export function ownLines(answer: Answer, length: number, isClosing: boolean): string[] {
  const lines = [...answer.fields]
  if (!hasField(lines, 'cache-control')) lines.push('Cache-Control', 'no-store')
  if (answer.status !== 204 && answer.status !== 304) lines.push('Content-Length', String(length))
  if (isClosing) lines.push('Connection', 'close')
  return lines
}

/** What the writer needs to know of a proxied head to frame it. */
export interface Framing {
  readonly status: number
  readonly method: string
  readonly version: '1.0' | '1.1' | '2'
  readonly isClosing: boolean
}

/**
 * Lines of a proxied answer: framing is ours alone, so fields about it do not pass, whatever the forwarder left in.
 *
 * @returns the same lines where nothing had to change
 */
export function proxiedLines(fields: FieldLines, framing: Framing): FieldLines {
  const traits = traitsOf(fields, framing)
  if (!traits.mustChange && !framing.isClosing) return fields
  const lines: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    if (mayPass(name.toLowerCase(), framing, traits)) lines.push(name, fields[index + 1]!)
  }
  if (traits.length !== undefined && framing.status !== 204) lines.push('Content-Length', traits.length)
  if (framing.isClosing) lines.push('Connection', 'close')
  return lines
}

interface Traits {
  mustChange: boolean
  length: string | undefined
}

const framingNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

function traitsOf(fields: FieldLines, framing: Framing): Traits {
  const traits: Traits = { mustChange: false, length: undefined }
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    switch (name.length) {
      case 7:
        if (isNamed(name, 'trailer') || isNamed(name, 'upgrade')) traits.mustChange = true
        break
      case 10:
      case 16:
      case 17:
        if (framingNames.has(name.toLowerCase())) traits.mustChange = true
        break
      case 14:
        if (isNamed(name, 'content-length')) {
          // Twice, even if equal, would be passed on as two: the first stands.
          traits.mustChange ||= traits.length !== undefined || framing.status === 204
          traits.length ??= fields[index + 1]!
        }
        break
      case 19:
        // node:http re-encodes this field once it has seen Content-Length; the length must come after it.
        if (traits.length !== undefined && isNamed(name, 'content-disposition')) traits.mustChange = true
        break
    }
  }
  return traits
}

function mayPass(name: string, framing: Framing, traits: Traits): boolean {
  if (name === 'content-length') return false
  if (name === 'trailer') return canTrail(framing, traits)
  return !framingNames.has(name)
}

/** In HTTP/1.1 trailers exist only behind chunks: RFC 9112, section 7.1.2. */
function canTrail({ version, method, status }: Framing, traits: Traits): boolean {
  if (method === 'HEAD' || status === 204 || status === 304) return false
  return version === '2' || (version === '1.1' && traits.length === undefined)
}

/** Fields that would mean something else, or something dangerous, when they come after the body. */
const neverTrailing: ReadonlySet<string> = new Set([
  ...framingNames,
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'set-cookie',
  'te',
  'trailer',
  'www-authenticate',
])

/**
 * @returns the trailer fields that may pass, as pairs
 * @see RFC 9110, section 6.5.1
 */
export function trailerPairs(trailers: FieldLines): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < trailers.length; index += 2) {
    const name = trailers[index]!
    if (!neverTrailing.has(name.toLowerCase())) pairs.push([name, trailers[index + 1]!])
  }
  return pairs
}

function hasField(lines: FieldLines, name: string): boolean {
  for (let index = 0; index < lines.length; index += 2) if (isNamed(lines[index]!, name)) return true
  return false
}
