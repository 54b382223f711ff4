/**
 * Path patterns by segment: a literal before `:name` before `*`, at the first segment where they differ. The cost of a look-up
 * grows with the path's segments, not with the number of patterns.
 */
import type { PathPattern } from './pattern.ts'

export interface PathTree<T> {
  readonly root: Node<T>
  /** Patterns without parameters by their whole path: nothing can be more specific. */
  readonly literals: Map<string, T>
  readonly patterns: T[]
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>
  parameter: Node<T> | undefined
  rest: T | undefined
  here: T | undefined
}

export function createTree<T extends object>(): PathTree<T> {
  return { root: createNode(), literals: new Map(), patterns: [] }
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), parameter: undefined, rest: undefined, here: undefined }
}

/** @returns what is kept for the pattern's shape, made by `make` the first time */
export function addPattern<T extends object>(tree: PathTree<T>, pattern: PathPattern, make: () => T): T {
  let node = tree.root
  for (const segment of pattern.segments) {
    switch (segment.kind) {
      case 'literal': {
        let next = node.literals.get(segment.text)
        if (next === undefined) node.literals.set(segment.text, (next = createNode()))
        node = next
        break
      }
      case 'parameter':
        node = node.parameter ??= createNode()
        break
      case 'rest':
        return (node.rest ??= register(tree, make()))
    }
  }
  node.here ??= register(tree, make())
  if (pattern.isLiteral) tree.literals.set(pattern.shape, node.here)
  return node.here
}

function register<T>(tree: PathTree<T>, value: T): T {
  tree.patterns.push(value)
  return value
}

/** @returns what is kept for the most specific pattern that matches the path */
export function findPattern<T extends object>(tree: PathTree<T>, path: string): T | undefined {
  return (tree.literals.size === 0 ? undefined : tree.literals.get(path)) ?? walk(tree.root, path, 1)
}

/** Goes back where a more specific branch ends in nothing; no node is entered twice. */
function walk<T extends object>(node: Node<T>, path: string, from: number): T | undefined {
  if (node.literals.size === 0 && node.parameter === undefined) return node.rest
  const slash = path.indexOf('/', from)
  if (node.literals.size > 0) {
    const literal = node.literals.get(slash === -1 ? path.slice(from) : path.slice(from, slash))
    if (literal !== undefined) {
      const found = slash === -1 ? literal.here : walk(literal, path, slash + 1)
      if (found !== undefined) return found
    }
  }
  const isEmpty = slash === -1 ? from === path.length : from === slash
  if (node.parameter !== undefined && !isEmpty) {
    const found = slash === -1 ? node.parameter.here : walk(node.parameter, path, slash + 1)
    if (found !== undefined) return found
  }
  return node.rest
}
