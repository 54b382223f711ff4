/** What is made from the code is as the code says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from '../scripts/docs/generated-files.ts'
import { rules } from '../src/config/lint/registry.ts'
import { publicCodes, reasons } from '../src/engine/errors.ts'

const root = join(import.meta.dirname, '..')

describe('documentation made from the code', () => {
  const files = generatedFiles()

  it.each(files.map(({ path }) => path))('%s is up to date (npm run generate)', (path) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(files.find((file) => file.path === path)?.content)
  })

  it('names every code, every reason and every finding', () => {
    const [errors, checks] = ['docs/errors.md', 'docs/checks.md'].map((path) =>
      readFileSync(join(root, path), 'utf8'),
    )
    for (const word of [...Object.keys(publicCodes), ...Object.keys(reasons)])
      expect(errors).toContain(`\`${word}\``)
    for (const { id } of rules) expect(checks).toContain(`\`${id}\``)
  })
})
