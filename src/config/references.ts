/** `${env:NAME}` and `${file:PATH}` in texts: found, read, and put in. What they stand for is never shown. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Complaint } from './fault.ts'
import { formatPath, type Path } from './path.ts'
import { standInFor } from './stand-ins.ts'

export interface ResolveOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here. */
  readonly folder: string
  /** What cannot be resolved is worth a notice, no more. */
  readonly standIns: boolean
}

export interface Resolution {
  /** The tree with its references replaced. */
  readonly value: unknown
  readonly complaints: readonly Complaint[]
  readonly notices: readonly string[]
  /** Absolute paths of the files referred to. */
  readonly files: readonly string[]
  /** Texts that came, wholly or in part, from a reference: they may be secrets. */
  readonly resolvedTexts: ReadonlySet<string>
  /** What references stand for. */
  readonly revealed: ReadonlySet<string>
  /** Texts that were stood in for, by path. */
  readonly standIns: ReadonlyMap<string, StandIn>
}

/** A text with references that could not be resolved. */
export interface StandIn {
  readonly path: Path
  /** What would be said of it without stand-ins. */
  readonly complaint: Complaint
  /** @returns the nth try at a text that may please the schema, undefined when there is no other */
  attempt(count: number): string | undefined
}

interface Reference {
  readonly kind: 'env' | 'file'
  readonly name: string
}

type Piece = string | Reference

/** No secret is longer; a device or a log is not one. */
const largestSecret = 1024 * 1024

export async function resolveReferences(tree: unknown, options: ResolveOptions): Promise<Resolution> {
  const complaints: Complaint[] = []
  const notices = new Set<string>()
  const files = new Set<string>()
  const standIns = new Map<string, StandIn>()
  const resolvedTexts = new Set<string>()
  const revealed = new Set<string>()
  const read = rememberResults((reference) => readReference(reference, options, files))

  const visit = async (value: unknown, path: Path): Promise<unknown> => {
    if (typeof value === 'string') return value.includes('${') ? put(value, path) : value
    if (Array.isArray(value)) {
      const items: unknown[] = []
      for (const [index, item] of value.entries()) items.push(await visit(item, [...path, index]))
      return items
    }
    if (typeof value !== 'object' || value === null) return value
    const members: Record<string, unknown> = {}
    for (const [key, member] of Object.entries(value)) members[key] = await visit(member, [...path, key])
    return members
  }

  const put = async (text: string, path: Path): Promise<string> => {
    const { pieces, complaint } = split(text)
    if (complaint !== undefined) {
      // Of a secret only a name may be repeated: where the whole text is one, it is no secret.
      complaints.push({ path, ...complaint, isOpen: /^\$\{[\w:. ]+\}$/.test(text) })
      return text
    }
    const results = new Map<Reference, string>()
    for (const piece of pieces) {
      if (typeof piece === 'string') continue
      const result = await read(piece)
      if ('text' in result) {
        results.set(piece, result.text)
        revealed.add(result.text)
        continue
      }
      const complaint: Complaint = { path, message: result.missing, expected: result.expected }
      if (options.standIns)
        notices.add(`${formatPath(path)}: ${result.missing}; something else stands in for it`)
      else complaints.push(complaint)
      // Stood in for either way, so that everything else can be checked.
      const attempt = (count: number): string | undefined =>
        join(pieces, results, (reference) => standInFor(reference.name, pieces.length === 1, count))
      standIns.set(formatPath(path), { path, complaint, attempt })
    }
    const first = standIns.get(formatPath(path))?.attempt(0) ?? join(pieces, results, () => '')!
    resolvedTexts.add(first)
    return first
  }

  const value = await visit(tree, [])
  return { value, complaints, notices: [...notices], files: [...files], resolvedTexts, revealed, standIns }
}

function join(
  pieces: readonly Piece[],
  results: ReadonlyMap<Reference, string>,
  standIn: (reference: Reference) => string | undefined,
): string | undefined {
  const parts = pieces.map((piece) =>
    typeof piece === 'string' ? piece : (results.get(piece) ?? standIn(piece)),
  )
  return parts.includes(undefined) ? undefined : parts.join('')
}

const forms = '${env:NAME} or ${file:PATH}; a literal ${ is written $${'

/** `$${` is a literal `${`. */
function split(text: string): {
  readonly pieces: readonly Piece[]
  readonly complaint?: Omit<Complaint, 'path'>
} {
  const pieces: Piece[] = []
  let rest = text
  let literal = ''
  while (rest !== '') {
    const at = rest.indexOf('${')
    if (at === -1) break
    if (rest[at - 1] === '$') {
      literal += `${rest.slice(0, at - 1)}\${`
      rest = rest.slice(at + 2)
      continue
    }
    const end = rest.indexOf('}', at)
    if (end === -1) return { pieces, complaint: { message: 'a reference does not end', expected: forms } }
    const inside = rest.slice(at + 2, end)
    const reference = readForm(inside)
    if ('message' in reference) return { pieces, complaint: reference }
    literal += rest.slice(0, at)
    if (literal !== '') pieces.push(literal)
    literal = ''
    pieces.push(reference)
    rest = rest.slice(end + 1)
  }
  literal += rest
  if (literal !== '' || pieces.length === 0) pieces.push(literal)
  return { pieces }
}

function readForm(inside: string): Reference | Omit<Complaint, 'path'> {
  const name = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(inside)?.[1]
  if (name !== undefined) return { kind: 'env', name }
  const file = /^file:(.+)$/.exec(inside)?.[1]
  if (file !== undefined) return { kind: 'file', name: file }
  const bare = /^\s*(?:env[.:]\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*$/i.exec(inside)?.[1]
  const complaint = { message: 'this is no reference', expected: forms }
  return bare === undefined ? complaint : { ...complaint, suggestion: `\${env:${bare}}` }
}

type ReadResult = { readonly text: string } | { readonly missing: string; readonly expected: string }

async function readReference(
  reference: Reference,
  options: ResolveOptions,
  files: Set<string>,
): Promise<ReadResult> {
  const { kind, name } = reference
  if (kind === 'env') {
    const text = Object.hasOwn(options.env, name) ? options.env[name] : undefined
    if (text !== undefined && text !== '') return { text }
    const state = text === undefined ? 'not set' : 'empty'
    return {
      missing: `the environment variable ${name} is ${state}`,
      expected: `${name} in the environment of the gateway`,
    }
  }
  const path = resolve(options.folder, name)
  files.add(path)
  try {
    const about = await stat(path)
    if (!about.isFile()) return { missing: `${name} is not a file`, expected: 'a file with the secret in it' }
    if (about.size > largestSecret)
      return { missing: `the file ${name} is larger than 1MiB`, expected: 'a file with the secret in it' }
    const text = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    return text === ''
      ? { missing: `the file ${name} is empty`, expected: 'a file with the secret in it' }
      : { text }
  } catch (error) {
    return { missing: `the file ${name} ${whyUnreadable(error)}`, expected: `a readable file at ${path}` }
  }
}

/** @returns the rest of a sentence that begins with the file's name */
export function whyUnreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  if (code === 'EISDIR') return 'is a folder'
  return `cannot be read (${code ?? 'unknown error'})`
}

function rememberResults(
  read: (reference: Reference) => Promise<ReadResult>,
): (reference: Reference) => Promise<ReadResult> {
  const known = new Map<string, Promise<ReadResult>>()
  return (reference) => {
    const key = `${reference.kind}:${reference.name}`
    const result = known.get(key) ?? read(reference)
    known.set(key, result)
    return result
  }
}
