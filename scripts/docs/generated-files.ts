import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { configurationJsonSchema } from '../../src/config/schema-json.ts'
import { checksMarkdown } from './checks-markdown.ts'
import { configMarkdown } from './config-markdown.ts'
import { errorsMarkdown } from './errors-markdown.ts'
import { inputTypes } from './input-types.ts'

export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string
  readonly content: string
}

/** Everything that is made from the code and kept in the repository. */
export function generatedFiles(): readonly GeneratedFile[] {
  const schema = configurationJsonSchema()
  return [
    { path: 'docs/config.schema.json', content: `${JSON.stringify(schema, undefined, 1)}\n` },
    { path: 'docs/config.md', content: configMarkdown(schema) },
    { path: 'docs/checks.md', content: checksMarkdown() },
    { path: 'docs/errors.md', content: errorsMarkdown() },
    { path: 'src/config/input.ts', content: formatted(inputTypes(schema), 'src/config/input.ts') },
  ]
}

/** As `npm run format` would leave it, so that the two do not undo each other's work. */
function formatted(source: string, path: string): string {
  const root = join(import.meta.dirname, '..', '..')
  const formatter = join(root, 'node_modules', 'oxfmt', 'bin', 'oxfmt')
  const result = spawnSync(process.execPath, [formatter, '--stdin-filepath', path], {
    cwd: root,
    input: source,
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`oxfmt: ${result.stderr}`)
  return result.stdout
}
