/**
 * The path's part of step 2, here since a proof names a path too: matching, guarding, forwarding and `htu` all use this one
 * reading. Two readings of one path are how a request for `/public/..%2fadmin` gets past a rule for `/admin`, so what could be
 * read in two ways is refused, in a fixed order, once.
 */
import { refuse, type Refusal } from './outcome.ts'

export interface PathOptions {
  readonly encodedSlashes: 'refuse' | 'keep'
  readonly pathParameters: 'refuse' | 'keep'
}

const slash = 0x2f
const backslash = 0x5c

/**
 * @param path begins with a slash and holds only bytes 0x21–0x7E, no `?` and no `#`
 * @returns the normal path; normalising it again changes nothing
 * @see RFC 3986, section 6.2.2, of which only the unambiguous part is done
 */
export function normalizePath(path: string, options: PathOptions): string | Refusal {
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
function decodeUnreserved(path: string, options: PathOptions): string | Refusal {
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
