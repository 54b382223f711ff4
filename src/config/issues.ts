/** From the schema's issues to complaints that a person can act on. */
import type { core } from 'zod'
import type { Complaint } from './fault.ts'
import type { Path } from './path.ts'
import { valueAt } from './path.ts'
import { membersAt, type SchemaNode } from './schema-json.ts'
import { booleanFor, nearest, repaired } from './suggest.ts'

type Issue = core.$ZodIssue

/** What the schema says where nothing more exact is written beside a member. Used as the parser's error map. */
export function expectationOf(issue: core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return typeWords[issue.expected as string] ?? String(issue.expected)
  if (issue.code === 'invalid_value') return oneOf(issue.values)
  if (issue.code === 'too_small') return `at least ${String(issue.minimum)}`
  return issue.code === 'too_big' ? `at most ${String(issue.maximum)}` : 'something else'
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, in brackets or one a line after a dash',
  object: 'a mapping: keys with values',
  record: 'a mapping: names with values',
}

/**
 * @param tree the tree that was checked, references resolved; what is shown comes from elsewhere
 * @returns a complaint for each issue; where a key is merely mistyped, its absence is not complained about a second time
 */
export function complaintsOf(issues: readonly Issue[], tree: unknown): Complaint[] {
  const complaints = issues.flatMap((issue) => complain(issue, [], tree))
  const mistyped = complaints.flatMap(({ path, message, suggestion }) =>
    message === unknownKey && suggestion !== undefined ? [[...path.slice(0, -1), suggestion]] : [],
  )
  return complaints.filter(
    ({ path, message }) =>
      message !== missing || !mistyped.some((other) => other.join('\0') === path.join('\0')),
  )
}

/** A file with more of them in one place is not a mistyped configuration but something else. */
const mostUnknownKeys = 100

export const unknownKey = 'unknown key'
export const missing = 'missing'
const unknownValue = 'unknown value'
const wrongType = 'wrong type'

function complain(issue: Issue, prefix: Path, tree: unknown): Complaint[] {
  const path: Path = [...prefix, ...(issue.path as (string | number)[])]
  const found = valueAt(tree, path)
  if (issue.code === 'unrecognized_keys') {
    const members = membersAt(path, tree)
    // One that is written beside it was not meant, and what is wrong below that one must still be told.
    const absent = [...members.keys()].filter((name) => !Object.hasOwn(found as object, name))
    return issue.keys.slice(0, mostUnknownKeys).map((key) => complainOfKey(key, path, members, absent))
  }
  if (issue.code === 'invalid_union' && issue.discriminator === undefined)
    return complainOfUnion(issue, path, tree, found)
  return [complainOfOne(issue, path, tree, found)]
}

function complainOfOne(issue: Issue, path: Path, tree: unknown, found: unknown): Complaint {
  if (issue.code === 'invalid_union')
    return complainOfValue(path, found, oneOf(optionsOf(issue)), optionsOf(issue))
  if (issue.code === 'invalid_value') return complainOfValue(path, found, issue.message, issue.values)
  if (issue.code === 'invalid_type') return complainOfType(path, tree, found, issue.message, issue.expected)
  if (issue.code === 'invalid_key') {
    return {
      path,
      message: 'not a valid name',
      expected: issue.issues[0]?.message ?? 'another name',
      atKey: true,
    }
  }
  if (issue.code === 'too_small' && issue.origin === 'array') {
    return { path, message: 'the list is empty', expected: issue.message }
  }
  return refused(
    path,
    found,
    issue.message,
    issue.code === 'custom' ? (issue.params?.['why'] as string | undefined) : undefined,
  )
}

function complainOfKey(
  key: string,
  parent: Path,
  members: ReadonlyMap<string, SchemaNode>,
  absent: readonly string[],
): Complaint {
  const inside = [...members].find(
    ([, node]) => node.properties !== undefined && Object.hasOwn(node.properties, key),
  )
  const suggestion = nearest(key, absent) ?? (inside === undefined ? undefined : `${inside[0]}.${key}`)
  return {
    path: [...parent, key],
    message: unknownKey,
    expected: members.size === 0 ? 'no keys here' : `one of ${[...members.keys()].join(', ')}`,
    ...(suggestion === undefined ? {} : { suggestion }),
    atKey: true,
  }
}

function complainOfValue(
  path: Path,
  found: unknown,
  expected: string,
  values: readonly unknown[],
): Complaint {
  if (found === undefined) return { path, message: missing, expected }
  if (found === null) return { path, message: nothingWritten, expected }
  const words = values.filter((value) => typeof value === 'string')
  const suggestion = suggestValue(found, values, words)
  return { path, message: unknownValue, expected, ...(suggestion === undefined ? {} : { suggestion }) }
}

const nothingWritten = 'nothing is written here; give it a value, or remove the key'

function suggestValue(
  found: unknown,
  values: readonly unknown[],
  words: readonly string[],
): string | undefined {
  // `version: "1"`: the right value in the wrong type.
  const same = values.find((value) => value !== found && String(value) === String(found))
  if (same !== undefined) return `${same as string | number | boolean}`
  if (booleanFor(String(found)) === 'false') return words.find((word) => word === 'off' || word === 'none')
  return typeof found === 'string' ? nearest(found, words) : undefined
}

function complainOfType(
  path: Path,
  tree: unknown,
  found: unknown,
  expected: string,
  type: string,
): Complaint {
  if (found === undefined) return { path, message: missing, expected }
  if (found === null) return { path, message: nothingWritten, expected }
  const suggestion = suggestType(found, expected, type)
  const members =
    type === 'object' && expected === typeWords['object'] ? [...membersAt(path, tree).keys()] : []
  const wanted =
    members.length === 0 || members.length > 16 ? expected : `a mapping with the keys ${members.join(', ')}`
  return { path, message: wrongType, expected: wanted, ...(suggestion === undefined ? {} : { suggestion }) }
}

function suggestType(found: unknown, expected: string, type: string): string | undefined {
  if (type === 'boolean') return booleanFor(found)
  if ((type === 'number' || type === 'int') && typeof found === 'string') {
    return /^-?\d{1,15}$/.test(found.trim()) ? found.trim() : undefined
  }
  if (type === 'array' && typeof found === 'string' && /^\d+\/\d+(?:ms|[smhd])$/.test(found)) {
    return `{ limit: ${found}, key: identity }`
  }
  if (type === 'array' && typeof found === 'string' && /^[\w./:-]{1,64}$/.test(found)) return `[${found}]`
  if (type !== 'string') return undefined
  const repair = repaired(expected, found)
  return repair ?? (typeof found === 'number' || typeof found === 'boolean' ? `"${found}"` : undefined)
}

function refused(path: Path, found: unknown, expected: string, why: string | undefined): Complaint {
  if (found === null) return { path, message: nothingWritten, expected }
  const suggestion = repaired(expected, found)
  return {
    path,
    message: why ?? 'not accepted',
    expected,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function optionsOf(issue: Issue): readonly unknown[] {
  return (issue as { options?: readonly unknown[] }).options ?? []
}

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>

/** Speaks for the one alternative that was meant: the one whose kind of value it is; among several, the one with the least wrong. */
function complainOfUnion(issue: UnionIssue, path: Path, tree: unknown, found: unknown): Complaint[] {
  if (found === undefined) return [{ path, message: missing, expected: issue.message }]
  const meant = issue.errors
    .filter((branch) => !branch.some((each) => each.path.length === 0 && isOtherKind(each)))
    .toSorted((one, other) => one.length - other.length)[0]
  if (meant !== undefined) {
    return meant
      .flatMap((each) => complain(each, path, tree))
      .map((complaint) =>
        complaint.path.length === path.length && !complaint.atKey
          ? { ...complaint, expected: issue.message }
          : complaint,
      )
  }
  const values = issue.errors
    .flat()
    .flatMap((each) => (each.path.length === 0 && each.code === 'invalid_value' ? [...each.values] : []))
  const complaint = complainOfValue(path, found, issue.message, values)
  const suggestion = complaint.suggestion ?? repairForUnion(issue, found)
  const isWord = values.some((value) => typeof value === typeof found)
  const message = complaint.message === unknownValue && !isWord ? wrongType : complaint.message
  return [{ ...complaint, message, ...(suggestion === undefined ? {} : { suggestion }) }]
}

function isOtherKind(issue: Issue): boolean {
  if (issue.code !== 'invalid_union') return issue.code === 'invalid_type' || issue.code === 'invalid_value'
  return (
    issue.errors.length > 0 &&
    issue.errors.every((branch) => branch.some((each) => each.path.length === 0 && isOtherKind(each)))
  )
}

function repairForUnion(issue: UnionIssue, found: unknown): string | undefined {
  for (const each of issue.errors.flat()) {
    if (each.path.length > 0 || each.code !== 'invalid_type') continue
    const suggestion = suggestType(found, each.message, each.expected)
    if (suggestion !== undefined) return suggestion
  }
  return undefined
}

/** @returns the values in words: `a`, or a, b or c */
export function oneOf(values: readonly unknown[]): string {
  const words = values.map((value) => (typeof value === 'string' ? value : String(value)))
  if (words.length < 2) return words.map((word) => `\`${word}\``).join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
