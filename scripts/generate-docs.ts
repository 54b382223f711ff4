/**
 * Writes what is made from the code: docs/config.schema.json, docs/config.md, docs/checks.md, docs/errors.md, and the type
 * of `defineConfig`. `--check` writes nothing and fails when one of them is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedFiles } from './docs/generated-files.ts'

const root = join(import.meta.dirname, '..')
const isCheck = process.argv.includes('--check')
const outdated = generatedFiles().filter(({ path, content }) => read(path) !== content)

for (const { path, content } of outdated) {
  if (isCheck) console.error(`${path} is out of date: npm run generate`)
  else {
    writeFileSync(join(root, path), content)
    console.log(`wrote ${path}`)
  }
}
if (isCheck && outdated.length > 0) process.exitCode = 1

function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}
