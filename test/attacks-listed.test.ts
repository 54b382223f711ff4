/** docs/attacks.md names every attack that the suite runs, and nothing that is not there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs', 'attacks.md'), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.includes('`src/'))
const named = (text: string): string[] =>
  [...text.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, file]) => file!)

describe('docs/attacks.md', () => {
  it('lists every file under test/attacks', () => {
    const files = readdirSync(join(import.meta.dirname, 'attacks'), { recursive: true, encoding: 'utf8' })
    const attacks = files.filter((file) => file.endsWith('.test.ts')).map((file) => `test/attacks/${file}`)
    expect(attacks.length).toBeGreaterThan(30)
    expect(attacks.filter((file) => !page.includes(`\`${file}\``))).toEqual([])
  })

  it('names only files that exist', () => {
    expect(named(page).filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  it('says for each attack which code answers it and which test tries it', () => {
    expect(rows.length).toBeGreaterThan(30)
    for (const row of rows) {
      const [, attack = '', code = '', test = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
      expect(attack, row).not.toBe('')
      expect(
        named(code).filter((file) => !file.includes('.test.')),
        row,
      ).not.toEqual([])
      expect(named(test), row).not.toEqual([])
      expect(
        named(test).filter((file) => !file.endsWith('.test.ts')),
        row,
      ).toEqual([])
    }
  })
})
