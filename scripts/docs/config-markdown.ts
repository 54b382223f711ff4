import { later } from '../../src/config/availability.ts'
import type { SchemaNode } from '../../src/config/schema-json.ts'
import { defaultOf, typeOf } from './node-words.ts'

/** docs/config.md: every key, its type, its default and its meaning, from the schema. */
export function configMarkdown(schema: SchemaNode): string {
  const sections = Object.entries(schema.properties ?? {}).filter(([, node]) => isSection(node))
  const single = Object.entries(schema.properties ?? {}).filter(([, node]) => !isSection(node))
  const required = new Set(schema.required)
  return [
    introduction,
    '## Top level\n',
    table(single.flatMap(([name, node]) => rowsOf(name, node, required.has(name), [name]))),
    ...sections.map(([name, node]) => section(name, node)),
    ...Object.entries(schema.$defs ?? {}).map(([name, node]) => definition(name, node)),
  ].join('\n')
}

const introduction = `# Configuration

<!-- Made by \`npm run generate\` from src/config/schema; edit the descriptions there. -->

One file: \`portcullis.yaml\` (YAML 1.2), or \`portcullis.config.ts\` with \`export default defineConfig({ … })\` and
\`import { defineConfig } from 'portcullis'\`. Both have the same shape. Unknown keys are errors, and all errors are reported at
once. \`portcullis init\` writes a file to start from, \`portcullis check\` says what is wrong or weak. Editors complete it with
[config.schema.json](config.schema.json): \`# yaml-language-server: $schema=…\` in the first line.

- A **duration** is a number and a unit: \`250ms\`, \`30s\`, \`15m\`, \`12h\`, \`90d\`.
- A **size** is a number and a unit: \`512B\`, \`16KiB\`, \`10MiB\`, \`10GiB\`.
- A **rate** is a number in a period: \`10/1s\`, \`100/1m\`.
- An **address range** is an address, or a network in CIDR form: \`192.0.2.7\`, \`10.0.0.0/8\`, \`2001:db8::/32\`.
- **Secrets** are references: \`\${env:NAME}\` is an environment variable, \`\${file:PATH}\` the content of a file (without its last
  line break). References may stand in any text, whole or in part; \`$\${\` is a literal \`\${\`. What is missing is an error.
- **Relative paths** start at the folder of the configuration. Files that it refers to are watched like itself.
- \`name.*\` below stands for any name, \`name[]\` for each item of a list.

Keys marked *later* are known, and refused until a later version builds them.
`

function isSection(node: SchemaNode): boolean {
  return [node, ...(node.anyOf ?? [])].some(
    (each) =>
      each.properties !== undefined ||
      typeof each.additionalProperties === 'object' ||
      each.items?.properties !== undefined,
  )
}

function section(name: string, node: SchemaNode): string {
  const heading = `## ${name}\n\n${meaningOf(node, [name])}\n`
  const entry = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
  if (entry?.oneOf !== undefined) return `${heading}\n${variants(name, entry.oneOf)}`
  if (entry !== undefined) return `${heading}\n${table(membersOf(`${name}.*`, entry, [name, '*']))}`
  const item = node.items
  if (item !== undefined) return `${heading}\n${table(membersOf(`${name}[]`, item, [name, '#']))}`
  return `${heading}\n${table(branchesOf(node).flatMap((branch) => membersOf(name, branch, [name])))}`
}

function definition(name: string, node: SchemaNode): string {
  const rows = branchesOf(node).flatMap((branch) =>
    membersOf('', branch.items ?? branch, ['routes', '#', name.charAt(0).toLowerCase() + name.slice(1)]),
  )
  const unique = rows.filter((row, index) => rows.indexOf(row) === index)
  return `## ${name}\n\n${node.description ?? ''}\n\nType: ${typeOf(node)}.\n\n${table(unique)}`
}

/** One table for what all types share, one for each type's own. */
function variants(name: string, branches: readonly SchemaNode[]): string {
  const names = Object.keys(branches[0]?.properties ?? {}).filter(
    (member) =>
      member !== 'type' &&
      branches.every((branch) => same(branch.properties?.[member], branches[0]?.properties?.[member])),
  )
  const shared =
    names.length === 0
      ? []
      : [`Every type takes:\n\n${table(membersOf(`${name}.*`, pick(branches[0]!, names), [name, '*']))}`]
  const own = branches.map((branch) => {
    const type = branch.properties?.['type']
    const members = Object.keys(branch.properties ?? {}).filter(
      (member) => member !== 'type' && !names.includes(member),
    )
    const available =
      later.find(({ path }) => path.join('.') === `${name}.*.type`)?.only.includes(type?.const) ?? true
    const title = `### ${name}: type ${String(type?.const)}${available ? '' : ' (later)'}\n\n${type?.description ?? ''}\n`
    return members.length === 0
      ? title
      : `${title}\n${table(membersOf(`${name}.*`, pick(branch, members), [name, '*']))}`
  })
  return [...shared, ...own].join('\n')
}

function pick(node: SchemaNode, names: readonly string[]): SchemaNode {
  const members = Object.entries(node.properties ?? {}).filter(([name]) => names.includes(name))
  return { ...node, properties: Object.fromEntries(members) }
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function branchesOf(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? node.oneOf ?? [node]
}

function membersOf(prefix: string, node: SchemaNode, path: readonly string[]): string[] {
  const required = new Set(node.required)
  return Object.entries(node.properties ?? {}).flatMap(([name, member]) =>
    rowsOf(prefix === '' ? name : `${prefix}.${name}`, member, required.has(name), [...path, name]),
  )
}

function rowsOf(key: string, node: SchemaNode, isRequired: boolean, path: readonly string[]): string[] {
  const cells = [`\`${key}\``, typeOf(node), isRequired ? 'required' : defaultOf(node), meaningOf(node, path)]
  const own = `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  if (isLater(path)) return [own]
  const below = branchesOf(node).flatMap((branch) => {
    if (branch.properties !== undefined) return membersOf(key, branch, path)
    return branch.items === undefined
      ? []
      : branchesOf(branch.items).flatMap((item) => membersOf(`${key}[]`, item, [...path, '#']))
  })
  return [own, ...below.filter((row, index) => below.indexOf(row) === index)]
}

function meaningOf(node: SchemaNode, path: readonly string[]): string {
  const reference = node.$ref?.replace('#/$defs/', '')
  if (reference !== undefined) return `See [${reference}](#${reference.toLowerCase()}).`
  const only = onlyAt(path)
  if (only === undefined) return node.description ?? ''
  const note =
    only.length === 0
      ? '*Later.*'
      : `*In this version: ${only.map((each) => `\`${String(each).replace(':*', ':…')}\``).join(', ')}.*`
  return `${node.description ?? ''} ${note}`.trim()
}

function isLater(path: readonly string[]): boolean {
  return onlyAt(path)?.length === 0
}

function onlyAt(path: readonly string[]): readonly unknown[] | undefined {
  return later.find((each) => each.path.join('.') === path.join('.'))?.only
}

function table(rows: readonly string[]): string {
  return `| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}
