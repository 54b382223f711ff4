/** The parser's problems in words for people who do not know YAML's grammar. Never its own text: that quotes the source, secrets too. */
import { isCollection, isScalar, visit, type Document } from 'yaml'
import type { Position, PositionedComplaint } from './document.ts'

export interface YamlProblem {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** One mistake in YAML makes the rest unreadable: what follows after a few tells nothing more. */
const mostProblems = 10

export function complaintsAbout(
  found: readonly YamlProblem[],
  document: Document.Parsed,
  at: (offset: number) => Position,
): PositionedComplaint[] {
  const exhausted = found.find(({ code }) => code === 'RESOURCE_EXHAUSTION')
  const told = exhausted === undefined ? found.slice(0, mostProblems) : [exhausted]
  return told.map((problem) => complainAbout(problem, document, at))
}

function complainAbout(
  problem: YamlProblem,
  document: Document.Parsed,
  at: (offset: number) => Position,
): PositionedComplaint {
  const position = at(beginningOf(problem, document))
  const known = problems.find(
    ({ code, says }) => code === problem.code && (says === undefined || says.test(problem.message)),
  )
  return {
    path: [],
    message: `not valid YAML: ${known?.message ?? 'this cannot be read'}`,
    expected:
      known?.expected ??
      'keys of one level in one column, a space after each colon, quotes and brackets closed',
    position,
  }
}

/** What does not end is better shown where it begins than where the file ends. */
function beginningOf({ code, message, pos }: YamlProblem, document: Document.Parsed): number {
  if (
    !/quote|end with a|flow collection/i.test(message) ||
    (code !== 'MISSING_CHAR' && code !== 'BAD_INDENT')
  )
    return pos[0]
  let beginning = pos[0]
  visit(document, {
    Node: (_, node) => {
      const isOpen =
        (isScalar(node) && node.type?.startsWith('QUOTE') === true) ||
        (isCollection(node) && node.flow === true)
      if (isOpen && node.range && node.range[0] < pos[0] && node.range[2] >= pos[0]) beginning = node.range[0]
    },
  })
  return beginning
}

const problems: readonly {
  readonly code: string
  readonly says?: RegExp
  readonly message: string
  readonly expected: string
}[] = [
  {
    code: 'MISSING_CHAR',
    says: /quote/,
    message: 'a text in quotes does not end',
    expected: 'the closing quote',
  },
  {
    code: 'MISSING_CHAR',
    says: /end with a|between/,
    message: 'a list or mapping in brackets does not end, or lacks a comma',
    expected: 'commas between its parts, and the closing bracket',
  },
  {
    code: 'MISSING_CHAR',
    says: /implicit map key/i,
    message: 'a key without a colon',
    expected: '`key: value`, with a space after the colon',
  },
  {
    code: 'MISSING_CHAR',
    says: /space/i,
    message: 'a space is missing',
    expected: 'a space after each colon, and before each `#`',
  },
  {
    code: 'BAD_INDENT',
    says: /flow/i,
    message: 'a list or mapping in brackets does not end before the next key',
    expected: 'the closing bracket, or its lines indented further than its key',
  },
  {
    code: 'BAD_INDENT',
    message: 'this line is not indented like its neighbours',
    expected: 'keys of one level in one column',
  },
  {
    code: 'TAB_AS_INDENT',
    message: 'a tab stands in the indentation',
    expected: 'spaces',
  },
  {
    code: 'BLOCK_AS_IMPLICIT_KEY',
    message: 'two colons in one line, or a line that is indented too far',
    expected: 'one `key: value` in a line; text with a colon and a space in it goes in quotes',
  },
  {
    code: 'MULTILINE_IMPLICIT_KEY',
    message: 'a line without a colon, or one that is not indented like its neighbours',
    expected: '`key: value`, keys of one level in one column',
  },
  {
    code: 'BAD_SCALAR_START',
    message: 'text cannot begin with this character',
    expected: 'the text in quotes',
  },
  {
    code: 'TAG_RESOLVE_FAILED',
    message: 'tags have no meaning here',
    expected: 'plain values; text that begins with `!` goes in quotes',
  },
  {
    code: 'BAD_ALIAS',
    message: 'an alias means nothing that stands before it',
    expected: 'an anchor (&name) before its alias (*name); text that begins with `*` or `&` goes in quotes',
  },
  {
    code: 'BAD_DQ_ESCAPE',
    message: 'a backslash in double quotes begins an escape, and this one is unknown',
    expected: 'two backslashes, or the text in single quotes',
  },
  {
    code: 'UNEXPECTED_TOKEN',
    message: 'something stands where nothing can',
    expected: 'one value for each key; text with brackets, commas, quotes or colons in it goes in quotes',
  },
  {
    code: 'RESOURCE_EXHAUSTION',
    message: 'nested too deeply',
    expected: 'fewer brackets and levels',
  },
]
