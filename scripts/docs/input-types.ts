import type { SchemaNode } from '../../src/config/schema-json.ts'

/** src/config/input.ts: the type of what people write, so that editors complete a TypeScript configuration. */
export function inputTypes(schema: SchemaNode): string {
  const named = Object.entries(schema.$defs ?? {}).map(([name, node]) => declaration(`${name}Input`, node))
  const entries = ['providers', 'authenticators', 'upstreams'].map((section) => {
    const entry = schema.properties?.[section]?.additionalProperties as SchemaNode
    return [section, entry] as const
  })
  const sections = entries.flatMap(([section, entry]) => sectionTypes(nameOf(section), entry))
  const root = {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, node]) => [
        name,
        entries.some(([section]) => section === name)
          ? { ...node, additionalProperties: { $ref: `#/$defs/${nameOf(name)}` } }
          : node,
      ]),
    ),
  }
  return [
    '/**',
    ' * What people write in `portcullis.config.ts`. Made by `npm run generate` from the schema: do not edit.',
    ' */',
    '/* oxlint-disable max-lines -- made by a program, read by editors */',
    '',
    ...named,
    ...sections,
    declaration('ConfigurationInput', root),
  ].join('\n')
}

function nameOf(section: string): string {
  return section.charAt(0).toUpperCase() + section.slice(1, -1)
}

function sectionTypes(name: string, entry: SchemaNode): string[] {
  const branches = entry.oneOf
  if (branches === undefined) return [declaration(`${name}Input`, entry)]
  const first = branches[0]?.properties ?? {}
  const shared = Object.keys(first).filter(
    (member) =>
      member !== 'type' &&
      branches.every((each) => JSON.stringify(each.properties?.[member]) === JSON.stringify(first[member])),
  )
  const without = branches.map((branch) => only(branch, (member) => !shared.includes(member)))
  const union = without.map((branch) => `\n  | ${typeText(branch, 1)}`).join('')
  if (shared.length === 0) return [`export type ${name}Input =${union}\n`]
  const common = only(branches[0]!, (member) => shared.includes(member))
  return [
    declaration(`${name}Common`, common),
    `export type ${name}Input = ${name}Common &\n  (${union.replaceAll('\n', '\n  ')}\n  )\n`,
  ]
}

function only(node: SchemaNode, isWanted: (member: string) => boolean): SchemaNode {
  const members = Object.entries(node.properties ?? {}).filter(([member]) => isWanted(member))
  return {
    ...node,
    properties: Object.fromEntries(members),
    required: (node.required ?? []).filter(isWanted),
  }
}

function declaration(name: string, node: SchemaNode): string {
  const comment = node.description === undefined ? '' : `/** ${node.description} */\n`
  return node.properties === undefined
    ? `${comment}export type ${name} = ${typeText(node, 0)}\n`
    : `${comment}export interface ${name} ${objectText(node, 0)}\n`
}

function typeText(node: SchemaNode, depth: number): string {
  if (node.$ref !== undefined) return `${node.$ref.replace('#/$defs/', '')}Input`
  const branches = node.anyOf ?? node.oneOf
  if (branches !== undefined) return unique(branches.map((branch) => typeText(branch, depth))).join(' | ')
  if (node.const !== undefined) return literal(node.const)
  if (node.enum !== undefined) return node.enum.map(literal).join(' | ')
  if (node.type === 'array')
    return `readonly ${bracketed(node.items === undefined ? 'unknown' : typeText(node.items, depth))}[]`
  if (node.type === 'object') {
    if (typeof node.additionalProperties === 'object')
      return `{ readonly [name: string]: ${typeText(node.additionalProperties, depth)} }`
    return objectText(node, depth)
  }
  if (typeof node.type === 'string') return node.type === 'integer' ? 'number' : node.type
  return node.type === undefined ? 'unknown' : node.type.join(' | ')
}

function objectText(node: SchemaNode, depth: number): string {
  const required = new Set(node.required)
  const indent = '  '.repeat(depth + 1)
  const members = Object.entries(node.properties ?? {}).map(([name, member]) => {
    const comment =
      member.description === undefined ? '' : `${indent}/** ${member.description}${defaultText(member)} */\n`
    const key = /^[a-z]\w*$/i.test(name) ? name : JSON.stringify(name)
    return `${comment}${indent}readonly ${key}${required.has(name) ? '' : '?'}: ${typeText(member, depth + 1)}${required.has(name) ? '' : ' | undefined'}`
  })
  return `{\n${members.join('\n')}\n${'  '.repeat(depth)}}`
}

function defaultText({ default: value }: SchemaNode): string {
  if (value === undefined || (typeof value === 'object' && JSON.stringify(value).length < 3)) return ''
  return ` Default: ${typeof value === 'string' ? value : JSON.stringify(value)}.`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function bracketed(text: string): string {
  return text.includes(' | ') && !text.startsWith('{') ? `(${text})` : text
}

/** A word beside text is text. */
function unique(words: readonly string[]): string[] {
  const hasText = words.includes('string')
  return words.filter((word, index) => words.indexOf(word) === index && !(hasText && word.startsWith("'")))
}
