import { normalizeTarget } from './normalize.ts'

/** A route's `match.path`, read once. */
export interface PathPattern {
  readonly segments: readonly PatternSegment[]
  /** Equal for patterns that match the same paths: names of parameters left out. */
  readonly shape: string
  /** Without parameters: only this very path matches. */
  readonly isLiteral: boolean
}

export type PatternSegment =
  | { readonly kind: 'literal'; readonly text: string }
  /** `:name`: exactly one segment, not empty. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** A last `*`: one segment or more, the first of which may be empty. */
  | { readonly kind: 'rest' }

/**
 * Reads a pattern. Literal text is compared with normal paths, so it is brought into their form: `/café` is `/caf%C3%A9`.
 *
 * @returns the pattern, or in words what is wrong with it
 */
export function parsePattern(path: string): PathPattern | string {
  if (!path.startsWith('/')) return 'a path begins with `/`'
  if (path.includes('?')) return 'a path holds no query: conditions on parameters go under `query`'
  const encoded = path.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text.toWellFormed()))
  const normal = normalizeTarget(encoded, { encodedSlashes: 'keep', pathParameters: 'keep' })
  if ('code' in normal) return `no request has such a path (${normal.detail ?? normal.reason})`
  if (normal.path.split('/').length !== encoded.split('/').length) {
    return `no request has such a path: written without doubled slashes and dot segments it is "${normal.path}"`
  }
  const texts = normal.path.slice(1).split('/')
  const segments: PatternSegment[] = []
  const names = new Set<string>()
  for (const [index, text] of texts.entries()) {
    const segment = parseSegment(text, index === texts.length - 1)
    if (typeof segment === 'string') return segment
    if (segment.kind === 'parameter' && names.size === names.add(segment.name).size) {
      return `the parameter ":${segment.name}" stands twice`
    }
    segments.push(segment)
  }
  return {
    segments,
    shape: `/${segments.map(shapeOf).join('/')}`,
    isLiteral: segments.every(({ kind }) => kind === 'literal'),
  }
}

function parseSegment(text: string, isLast: boolean): PatternSegment | string {
  if (text === '*') return isLast ? { kind: 'rest' } : '`*` stands only for the last segment'
  if (text.includes('*')) return `\`*\` stands for a whole segment, not in "${text}"`
  if (!text.startsWith(':')) return { kind: 'literal', text }
  const name = text.slice(1)
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)
    ? { kind: 'parameter', name }
    : `"${text}" is no parameter: a name is letters, digits, "_" and "-"`
}

/** No literal begins with `:` or holds `*`, so the two stand-ins cannot be mistaken for one. */
function shapeOf(segment: PatternSegment): string {
  switch (segment.kind) {
    case 'literal':
      return segment.text
    case 'parameter':
      return ':'
    case 'rest':
      return '*'
  }
}
