/**
 * YAML 1.2 core, read strictly: no duplicate keys, no tags, no merge keys, one document. The tree is built here rather than
 * by the parser, so that whatever is suspicious has its position, and the size of an alias bomb is bounded.
 */
import {
  isMap,
  isScalar,
  isSeq,
  isAlias,
  LineCounter,
  parseAllDocuments,
  type Document as YamlDocument,
  type Node,
} from 'yaml'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { Document, Position, PositionedComplaint } from './document.ts'
import { complaintsAbout } from './yaml-problems.ts'
import { buildTree } from './yaml-tree.ts'

export type YamlResult =
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly complaints: readonly PositionedComplaint[] }

export function readYaml(source: string): YamlResult {
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  let documents
  try {
    documents = parseAllDocuments(source, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
      // Asked when the tree is built: the parser compares every key with every other.
      uniqueKeys: false,
    })
  } catch (error) {
    if (error instanceof RangeError)
      return { ok: false, complaints: [{ path: [], message: 'nested too deeply' }] }
    throw error
  }
  const [document, second] = Array.isArray(documents) ? documents : []
  const problems = document === undefined ? [] : [...document.errors, ...document.warnings]
  if (problems.length > 0) return { ok: false, complaints: complaintsAbout(problems, document!, at) }
  if (document === undefined || isBlank(document.contents)) return { ok: false, complaints: [emptyFile] }
  if (second !== undefined)
    return { ok: false, complaints: [{ ...severalDocuments, position: at(second.range[0]) }] }
  const { value, complaints, isWhole } = buildTree(document.contents, at)
  if (!isWhole) return { ok: false, complaints }
  const position: Document['position'] = (path, what) => findPosition(document, path, what, at)
  return { ok: true, document: { value, complaints, position } }
}

const emptyFile: Complaint = {
  path: [],
  message: 'the file is empty',
  expected: 'a configuration; `portcullis init` writes one to start from',
}

const severalDocuments: Complaint = {
  path: [],
  message: 'more than one document',
  expected: 'a single YAML document, without `---` between parts',
}

function findPosition(
  document: YamlDocument.Parsed,
  path: Path,
  what: 'key' | 'value',
  at: (offset: number) => Position,
): Position | undefined {
  let node: Node | null = document.contents
  let key: number | undefined
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && (key.value === step || key.source === step))
      if (pair === undefined) return undefined
      key = (pair.key as Node).range?.[0]
      node = pair.value as Node | null
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step] as Node | null
      key = undefined
    } else return undefined
  }
  // A block of several lines is shown at its key; so is a key without a value.
  const isBlock = (isMap(node) || isSeq(node)) && node.flow !== true
  const value = isBlock || isBlank(node) ? (key ?? node?.range?.[0]) : node?.range?.[0]
  const offset = what === 'key' ? (key ?? value) : value
  return offset === undefined ? undefined : at(offset)
}

function isBlank(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '')
}
