// node bench/page.ts [FILE]: docs/performance.md and its chart, made of what `npm run bench -- --json FILE` wrote.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawChart } from './chart.ts'
import { writePage } from './page-text.ts'
import type { Result } from './result.ts'
import { growthOf } from './sections.ts'

const root = join(import.meta.dirname, '..')
const [file = join(root, 'docs', 'performance.json')] = process.argv.slice(2)
const notes = join(import.meta.dirname, 'notes.md')

const result = JSON.parse(readFileSync(file, 'utf8')) as Result
const growth = new Set(growthOf(result.rows))
writeFileSync(
  join(root, 'docs', 'performance.md'),
  writePage(result, existsSync(notes) ? readFileSync(notes, 'utf8') : ''),
)
writeFileSync(join(root, 'docs', 'performance.svg'), drawChart(result.rows.filter((row) => !growth.has(row))))
