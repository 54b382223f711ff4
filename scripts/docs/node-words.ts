import type { SchemaNode } from '../../src/config/schema-json.ts'

/** @returns the type of a member in words */
export function typeOf(node: SchemaNode): string {
  if (node.$ref !== undefined) {
    const name = node.$ref.replace('#/$defs/', '')
    return `[${name}](#${name.toLowerCase()})`
  }
  const branches = node.anyOf ?? node.oneOf
  if (branches !== undefined) {
    const words = branches.map(typeOf)
    return words.filter((word, index) => words.indexOf(word) === index).join(' or ')
  }
  if (node.const !== undefined) return `\`${JSON.stringify(node.const).replaceAll('"', '')}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeOf(node.items)}`
  if (node.type === 'object') {
    return typeof node.additionalProperties === 'object'
      ? `names with ${typeOf(node.additionalProperties)} each`
      : 'mapping'
  }
  if (node.type === 'string') return node.title ?? (node.writeOnly === true ? 'secret' : 'text')
  if (node.type === undefined) return 'anything'
  return (typeof node.type === 'string' ? [node.type] : node.type)
    .map((type) => plainTypes[type] ?? type)
    .join(' or ')
}

const plainTypes: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: '`true`, `false`',
}

/** @returns what holds where nothing is written; of a mapping its members say it */
export function defaultOf(node: SchemaNode): string {
  const value = node.default
  if (value === undefined) return ''
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.keys(value).length === 0 ? '' : `\`${flow(value)}\``
  return Array.isArray(value) && value.length === 0 ? 'none' : `\`${flow(value)}\``
}

/** As it would be written in YAML, on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, member]) => `${key}: ${flow(member)}`)
      .join(', ')} }`
  }
  return String(value)
}
