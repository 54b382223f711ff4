/** From parsed YAML nodes to plain values; everything suspicious is refused with its position. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml'
import type { Path } from '../path.ts'
import {
  deepest,
  isPoisonous,
  mostAliased,
  mostValues,
  type Position,
  type PositionedComplaint,
} from './document.ts'

export interface Tree {
  readonly value: unknown
  readonly complaints: readonly PositionedComplaint[]
  /** False where the file was given up: too deep, or too many values. */
  readonly isWhole: boolean
}

export function buildTree(root: Node | null, at: (offset: number) => Position): Tree {
  const complaints: PositionedComplaint[] = []
  const anchors = new Map<string, Node>()
  const open = new Set<Node>()
  const counted = { all: 0, aliased: 0, depthOfAliases: 0, stopped: false }

  const complain = (complaint: Omit<PositionedComplaint, 'position'>, node: Node | null): null => {
    const offset = node?.range?.[0]
    complaints.push(offset === undefined ? complaint : { ...complaint, position: at(offset) })
    return null
  }

  const build = (node: Node | null, path: Path): unknown => {
    if (counted.stopped) return null
    counted.all++
    if (counted.depthOfAliases > 0) counted.aliased++
    if (counted.all > mostValues || counted.aliased > mostAliased) {
      counted.stopped = true
      return complain(
        { path: [], message: 'too many values: aliases repeat each other, or the file is no configuration' },
        node,
      )
    }
    if (path.length > deepest) {
      counted.stopped = true
      return complain({ path: [], message: 'nested too deeply' }, node)
    }
    if (node === null) return null
    if (isAlias(node)) return follow(node, path)
    if ('anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node)
    if (isScalar(node)) return readScalar(node, path)
    open.add(node)
    const value = isMap(node) ? buildMap(node.items, path) : buildList(node, path)
    open.delete(node)
    return value
  }

  const follow = (alias: Node & { readonly source: string }, path: Path): unknown => {
    const target = anchors.get(alias.source)
    if (target === undefined || open.has(target)) {
      return complain(
        { path, message: `the alias *${alias.source} means itself, or nothing before it` },
        alias,
      )
    }
    counted.depthOfAliases++
    const value = build(target, path)
    counted.depthOfAliases--
    return value
  }

  const buildList = (node: Node, path: Path): unknown[] =>
    isSeq(node) ? node.items.map((item, index) => build(item as Node | null, [...path, index])) : []

  const buildMap = (pairs: readonly Pair[], path: Path): Record<string, unknown> => {
    const result: Record<string, unknown> = {}
    for (const { key, value } of pairs) {
      const node = key as Node | null
      if (!isScalar(node) || node.value === null) {
        complain({ path, message: 'a key must be text' }, node)
        continue
      }
      const name = typeof node.value === 'string' ? node.value : (node.source ?? JSON.stringify(node.value))
      if (Object.hasOwn(result, name)) complain({ path: [...path, name], ...twice }, node)
      else if (isPoisonous(name))
        complain({ path: [...path, name], message: 'this name is not allowed' }, node)
      else if (name === '<<') complain({ path: [...path, name], ...mergeKey }, node)
      else result[name] = build(value as Node | null, [...path, name])
    }
    return result
  }

  const readScalar = (node: Node & { readonly value: unknown }, path: Path): unknown => {
    const { value } = node
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    return complain(
      { path, message: 'this number is not finite', expected: 'a number, or text in quotes' },
      node,
    )
  }

  const value = build(root, [])
  return { value, complaints, isWhole: !counted.stopped }
}

const twice = { message: 'this key stands here twice', expected: 'each key once' }

const mergeKey = {
  message: 'merge keys are not supported (YAML 1.2 has none)',
  expected: 'the keys written out, or what routes share under `defaults`',
}
