/**
 * Step 2 of a request's way: one path that matching, guarding and forwarding all use. Two readings of one path are how a request
 * for `/public/..%2fadmin` gets past a rule for `/admin`, so what could be read in two ways is refused, in a fixed order, once.
 */
import { refuse, type Refusal } from '../engine/outcome.ts'

export interface TargetOptions {
  readonly encodedSlashes: 'refuse' | 'keep'
  readonly pathParameters: 'refuse' | 'keep'
}

export interface NormalTarget {
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
}

/**
 * @param target origin-form, as the client sent it
 * @returns the normal path and the untouched query; normalising the result again changes nothing
 * @see RFC 3986, section 6.2.2, of which only the unambiguous part is done
 */
export function normalizeTarget(target: string, options: TargetOptions): NormalTarget | Refusal {
  if (target.charCodeAt(0) !== slash) return refuse('target_invalid', { detail: 'not in origin-form' })
  let isNormal = true
  let end = -1
  let previous = 0
  for (let index = 0; index < target.length; index += 1) {
    const code = target.charCodeAt(index)
    if (code < 0x21 || code > 0x7e || code === hash) {
      return refuse('target_invalid', { detail: 'bytes that no target holds' })
    }
    if (end !== -1) continue
    if (code === question) end = index
    else if (
      code === percent ||
      code === backslash ||
      code === semicolon ||
      (previous === slash && (code === slash || code === dot))
    )
      isNormal = false
    previous = code
  }
  const path = end === -1 ? target : target.slice(0, end)
  const query = end === -1 ? '' : target.slice(end + 1)
  if (isNormal) return { path, query }
  const normal = normalizePath(path, options)
  return typeof normal === 'string' ? { path: normal, query } : normal
}

const hash = 0x23
const percent = 0x25
const dot = 0x2e
const slash = 0x2f
const semicolon = 0x3b
const question = 0x3f
const backslash = 0x5c

function normalizePath(path: string, options: TargetOptions): string | Refusal {
  if (path.includes('\\')) return invalid('a backslash')
  const decoded = path.includes('%') ? decodeUnreserved(path, options) : path
  if (typeof decoded !== 'string') return decoded
  if (decoded.includes(';')) {
    if (options.pathParameters === 'refuse') return invalid('a path parameter')
    // Servers that cut parameters off see a dot segment here, after we looked for them.
    if (decoded.includes('..;') || decoded.includes('/.;') || decoded.includes('%2F.;'))
      return invalid('a dot segment with a parameter')
  }
  return removeDotSegments(decoded)
}

function invalid(detail: string): Refusal {
  return refuse('path_invalid', { detail })
}

const unreserved = /[0-9A-Za-z\-._~]/

/** Decodes unreserved characters only; every other escape stays, with upper-case digits. Nothing is decoded twice. */
function decodeUnreserved(path: string, options: TargetOptions): string | Refusal {
  let decoded = ''
  let from = 0
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 3)) {
    const digits = path.slice(at + 1, at + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return invalid('a bad percent escape')
    const code = Number.parseInt(digits, 16)
    if (code === 0 || code === backslash) return invalid('an encoded NUL or backslash')
    if (code === slash && options.encodedSlashes === 'refuse') return invalid('an encoded slash')
    const character = String.fromCharCode(code)
    decoded += path.slice(from, at) + (unreserved.test(character) ? character : `%${digits.toUpperCase()}`)
    from = at + 3
  }
  return decoded + path.slice(from)
}

/** Collapses slashes and resolves `.` and `..`, as RFC 3986 section 5.2.4 does, but refuses what climbs above the root. */
function removeDotSegments(path: string): string | Refusal {
  const segments = path.split('/')
  const kept: string[] = []
  let before = ''
  for (let index = 1; index < segments.length; index += 1) {
    const segment = segments[index]!
    const isLast = index === segments.length - 1
    // An empty one is a doubled slash, unless it is the last: a trailing slash stays.
    if (segment === '' && !isLast) continue
    const dots = isDots(segment)
    const above = segment === '..' ? kept.pop() : ''
    if (above === undefined) return invalid('a path above the root')
    if (
      holdsDotBesideSlash(segment) ||
      (dots && (holdsEncodedSlash(before) || holdsEncodedSlash(above))) ||
      (isDots(before) && holdsEncodedSlash(segment))
    )
      return invalid('an encoded slash beside a dot segment')
    before = segment
    if (!dots) kept.push(segment)
    else if (isLast) kept.push('')
  }
  return `/${kept.join('/')}`
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

function holdsEncodedSlash(segment: string): boolean {
  return segment.includes('%2F')
}

/** A server that decodes `%2F` before it resolves dots would see a dot segment inside of this one. */
function holdsDotBesideSlash(segment: string): boolean {
  return holdsEncodedSlash(segment) && segment.split('%2F').some(isDots)
}
