/** The form of `match.path`: patterns are compared with normalised paths, so they must be written in that form. */

export interface PathFault {
  readonly message: string
  readonly suggestion?: string
}

export interface PathRules {
  /** Whether a listener keeps `%2F`. */
  readonly encodedSlashes: boolean
  /** Whether a listener keeps `;`. */
  readonly pathParameters: boolean
}

/** @returns what is wrong with a pattern; undefined when a request can meet it */
export function pathFault(path: string, rules: PathRules): PathFault | undefined {
  if (!path.startsWith('/')) return withRepair('a path begins with a slash', path, `/${path}`, rules)
  if (/[?#]/.test(path)) {
    return withRepair(
      'a path has no query or fragment; conditions on the query go under `match.query`',
      path,
      path.replace(/[?#].*$/, ''),
      rules,
    )
  }
  const fault = charactersFault(path, rules) ?? segmentsFault(path, rules)
  if (fault !== undefined) return fault
  return /^\/\.portcullis(\/|$)/.test(path)
    ? { message: "paths under /.portcullis/ are the gateway's own and never proxied" }
    : undefined
}

/** Suggests a repair only where it would be accepted. */
function withRepair(message: string, path: string, repair: string, rules: PathRules): PathFault {
  if (repair === path || path.length > 500) return { message }
  const rest = pathFault(repair, rules)
  if (rest === undefined) return { message, suggestion: repair }
  return rest.suggestion === undefined ? { message } : { message, suggestion: rest.suggestion }
}

function charactersFault(path: string, rules: PathRules): PathFault | undefined {
  if (path.includes('\\')) return { message: 'a request with a backslash in its path is refused' }
  if (/[^\x21-\x7E]/.test(path)) {
    const encoded = path.replace(/[^\x21-\x7E]+/gu, (text) => encodeURIComponent(text.toWellFormed()))
    return withRepair('spaces and characters outside ASCII arrive percent-encoded', path, encoded, rules)
  }
  const escapes = path.match(/%.{0,2}/g) ?? []
  if (escapes.some((each) => !/^%[0-9A-Fa-f]{2}$/.test(each)))
    return { message: 'a percent sign begins an escape of two hexadecimal digits' }
  const refused = escapes.find(
    (each) => /^%(00|5c)$/i.test(each) || (/^%2f$/i.test(each) && !rules.encodedSlashes),
  )
  if (refused !== undefined) {
    return {
      message: /2f/i.test(refused)
        ? 'a request with %2F in its path is refused, unless its listener has `encodedSlashes: keep`'
        : `a request with ${refused} in its path is refused`,
    }
  }
  const normal = path.replace(/%[0-9A-Fa-f]{2}/g, normalEscape)
  if (normal !== path)
    return withRepair(
      'this is compared with normalised paths, where the escape is written otherwise',
      path,
      normal,
      rules,
    )
  return path.includes(';') && !rules.pathParameters
    ? { message: 'a request with `;` in its path is refused, unless its listener has `pathParameters: keep`' }
    : undefined
}

/** RFC 3986 6.2.2: unreserved characters stand plain, other escapes in capitals. */
function normalEscape(escape: string): string {
  const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
  return /[A-Za-z0-9._~-]/.test(char) ? char : escape.toUpperCase()
}

function segmentsFault(path: string, rules: PathRules): PathFault | undefined {
  const segments = path.slice(1).split('/')
  if (segments.some((each, index) => each === '' && index < segments.length - 1)) {
    return withRepair(
      'no normalised path has two slashes in a row',
      path,
      path.replace(/\/{2,}/g, '/'),
      rules,
    )
  }
  if (segments.some((each) => each === '.' || each === '..')) {
    return withRepair('no normalised path has dot segments', path, new URL(path, 'http://a').pathname, rules)
  }
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    const fault = segmentFault(segment, index === segments.length - 1)
    if (fault !== undefined) {
      if (fault.suggestion === undefined) return fault
      const repaired = segments.with(index, fault.suggestion)
      return withRepair(fault.message, path, `/${repaired.join('/')}`, rules)
    }
    if (segment.startsWith(':') && names.size === names.add(segment).size)
      return { message: `the parameter "${segment}" stands twice` }
  }
  return undefined
}

function segmentFault(segment: string, isLast: boolean): PathFault | undefined {
  const named = /^(?:\{|<)([A-Za-z_][\w-]*)(?:\}|>)$/.exec(segment)?.[1]
  if (named !== undefined) return { message: 'a parameter is written with a colon', suggestion: `:${named}` }
  if (segment === '*') {
    return isLast
      ? undefined
      : {
          message: '`*` stands only for the last segment; one segment between others is a `:name`',
          suggestion: ':any',
        }
  }
  if (/^(\*\*|\.\*|\(\.\*\)|\{[\w-]+:?\.?\*\})$/.test(segment) && isLast)
    return { message: 'everything below is written `*`', suggestion: '*' }
  if (segment.includes('*')) return { message: '`*` stands for a whole segment, not for a part of one' }
  if (segment.startsWith(':') && !/^:[A-Za-z_][A-Za-z0-9_-]*$/.test(segment)) {
    return {
      message: 'the name of a parameter is letters, digits, `_` and `-`, beginning with a letter or `_`',
    }
  }
  return undefined
}
