/** The JSON Schema of the configuration, and ways to look things up in it. */
import { z } from 'zod'
import type { Path } from './path.ts'
import { configurationSchema } from './schema.ts'

/** A JSON Schema, as far as ours goes. */
export interface SchemaNode {
  readonly $schema?: string
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, SchemaNode>>
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly pattern?: string
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | boolean
  readonly propertyNames?: SchemaNode
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
}

let made: SchemaNode | undefined

/** JSON Schema 2020-12 of what people write (not of what is made of it). */
export function configurationJsonSchema(): SchemaNode {
  made ??= {
    title: 'Portcullis configuration',
    ...withReferences(
      z.toJSONSchema(configurationSchema, { io: 'input', target: 'draft-2020-12' }) as SchemaNode,
    ),
  }
  return made
}

/** @returns the nodes that describe a place, of all the alternatives that what was written may mean */
export function nodesAt(path: Path, tree: unknown): SchemaNode[] {
  let nodes = alternatives([configurationJsonSchema()], tree)
  let value = tree
  for (const step of path) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[step]
        : undefined
    const below = nodes.flatMap((node) => {
      if (typeof step === 'number') return node.items === undefined ? [] : [node.items]
      const member =
        node.properties !== undefined && Object.hasOwn(node.properties, step)
          ? node.properties[step]
          : undefined
      if (member !== undefined) return [member]
      return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []
    })
    nodes = alternatives(below, value)
  }
  return nodes
}

/** @returns the members that may stand at a place */
export function membersAt(path: Path, tree: unknown): Map<string, SchemaNode> {
  return new Map(
    nodesAt(path, tree).flatMap((node) =>
      Object.entries(node.properties ?? {}).map(([name, member]) => [name, referred(member)] as const),
    ),
  )
}

/** @returns whether what stands at a place must never be shown */
export function isSecretAt(path: Path, tree: unknown): boolean {
  return path.some((_, index) =>
    nodesAt(path.slice(0, index + 1), tree).some((node) => node.writeOnly === true),
  )
}

function alternatives(nodes: readonly SchemaNode[], value: unknown): SchemaNode[] {
  return nodes.map(referred).flatMap((node) => {
    const branches = node.anyOf ?? node.oneOf
    if (branches === undefined) return [node]
    const type: unknown = (value as { type?: unknown } | null | undefined)?.type
    const chosen = branches.filter((branch) => branch.properties?.['type']?.const === type)
    const own = node.writeOnly === true ? [{ writeOnly: true }] : []
    return [...own, ...alternatives(type === undefined || chosen.length === 0 ? branches : chosen, value)]
  })
}

/** @returns the node itself, or the one that it refers to */
export function referred(node: SchemaNode): SchemaNode {
  const name = node.$ref?.replace('#/$defs/', '')
  return name === undefined ? node : (configurationJsonSchema().$defs?.[name] ?? node)
}

/** A pattern describes what a reference stands for, so the reference itself must be let through. */
function withReferences(node: SchemaNode): SchemaNode {
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, copyMember(key, value)]),
  ) as SchemaNode & { pattern?: string }
  return copy.pattern === undefined
    ? copy
    : { ...copy, pattern: `(?:${copy.pattern})|\\$\\{(env|file):[^}]+\\}` }
}

function copyMember(key: string, value: unknown): unknown {
  if (key === 'properties' || key === '$defs') {
    return Object.fromEntries(
      Object.entries(value as Record<string, SchemaNode>).map(([name, node]) => [name, withReferences(node)]),
    )
  }
  if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object'))
    return withReferences(value as SchemaNode)
  if (key === 'anyOf' || key === 'oneOf') return (value as SchemaNode[]).map(withReferences)
  return value
}
