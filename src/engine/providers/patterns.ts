/** Allow-lists of names with segments: repositories, service accounts, refs, SPIFFE paths. */

/** Names longer than this are nobody's; also bounds what a pattern may cost. */
const longestName = 2_048
const mostStars = 4

export interface PatternOptions {
  /** GitHub's owners and repositories are the same in any case. */
  readonly ignoresCase?: boolean
}

/**
 * `*` stands for any run of characters inside one segment; as the whole last segment it stands for all that is below.
 * @returns whether a name is meant by one of the patterns
 */
export function compilePatterns(
  patterns: readonly string[],
  { ignoresCase = false }: PatternOptions = {},
): (name: unknown) => boolean {
  const compiled = patterns.map((pattern) => new RegExp(sourceOf(pattern), ignoresCase ? 'i' : ''))
  return (name) =>
    typeof name === 'string' && name.length <= longestName && compiled.some((each) => each.test(name))
}

/** @returns what keeps `pattern` from being one, in words that go on after its name; undefined when nothing does */
export function patternFault(pattern: string): string | undefined {
  if (pattern.split('*').length - 1 > mostStars) return `has more than ${mostStars} \`*\``
  if (pattern.includes('**')) return 'has `**`: one `*` is enough'
  return /^\*+(?:\/\*+)*$/.test(pattern) ? 'takes everybody: leave the list out to say that' : undefined
}

function sourceOf(pattern: string): string {
  const isBelow = pattern.endsWith('/*')
  const literal = (isBelow ? pattern.slice(0, -1) : pattern)
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\/-]/g, String.raw`\$&`))
    .join('[^/]*')
  return `^${literal}${isBelow ? '.+' : ''}$`
}
