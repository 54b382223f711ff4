/** What a run is made into: the verdicts on its goals, the chart and the page. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawChart, longestBar } from '../../bench/chart.ts'
import { judge, noiseOf } from '../../bench/goals.ts'
import { writePage } from '../../bench/page-text.ts'
import type { Result, ResultRow } from '../../bench/result.ts'
import { allRows, latencyNames, memoryNames, profiledName } from '../../bench/rows.ts'
import { arrange, growthOf } from '../../bench/sections.ts'
import { formatTable } from '../../bench/table.ts'

const root = join(import.meta.dirname, '..', '..')

function row(name: string, cpuMicrosPerRequest: number): ResultRow {
  const rest = { requestsPerSecond: 1000, ratioToNginx: 1, kernelShare: 0.7, busy: 0.9, spread: 0.02 }
  return { name, cpuMicrosPerRequest, cpuRatioToNginx: cpuMicrosPerRequest / 20, ...rest }
}

const result: Result = {
  date: '2026-11-29',
  machine: { processor: '2 cores, <fast>', kernel: 'Linux 6', memoryGiB: 24 },
  versions: { node: '26.10.0', nginx: '1.22.1', haproxy: '2.6.12', wrk: '4.1.0' },
  setting: { rounds: 5, seconds: 3, connections: 64, coldTokens: 15_000, rate: 2000 },
  rows: [
    row('nginx plain', 20),
    row('nginx plain (again)', 21),
    row('portcullis wire RS256 warm', 26),
    row('portcullis wire ES256 warm', 28),
    row('haproxy RS256', 65),
    row('haproxy ES256', 100),
    row('fast-gateway HS256', 150),
    row('http-proxy-3 HS256', 140),
    row('portcullis wire HS256 warm', 27),
    row('portcullis wire routes 10', 26),
    row('portcullis wire routes 10000', 30),
    row('express-gateway HS256', 2000),
  ],
  latency: [{ name: 'nginx plain', p50: 0.2, p99: 0.9, p999: 2, lateShare: 0.01 }],
  memory: [
    {
      name: 'portcullis wire RS256 warm',
      connections: 9500,
      idleMiB: 90,
      heldMiB: 140,
      kibPerConnection: 5.4,
      kibPerFurtherConnection: 5.6,
    },
  ],
  skipped: [{ name: 'nginx lua HS256', reason: 'not installed' }],
  failed: [],
  foreignCores: 0.02,
}

describe('goals', () => {
  const found = Object.fromEntries(judge(result).map((each) => [each.goal, each]))

  it('are kept by the most expensive way of checking', () => {
    expect(found['nginx, plain proxy, no auth']).toMatchObject({
      compared: 'portcullis wire ES256 warm ÷ nginx plain',
      found: 1.4,
      verdict: 'missed',
    })
  })

  it('compare with the best of the peers', () => {
    expect(found['the best Node.js gateway or proxy']).toMatchObject({
      compared: 'portcullis wire HS256 warm ÷ http-proxy-3 HS256',
      verdict: 'met',
    })
  })

  it('are met at the limit, and missed beyond it', () => {
    expect(found['HAProxy `jwt_verify` RS256']).toMatchObject({ found: 0.4, verdict: 'met' })
    expect(found['10,000 routes against 10']?.verdict).toBe('missed')
    expect(found['memory for an idle connection']?.verdict).toBe('met')
  })

  it('are not measured where a row is missing', () => {
    expect(found['TLS, against nginx TLS plain']).toMatchObject({ found: undefined, verdict: 'not measured' })
    expect(judge({ ...result, rows: [], memory: [] }).map(({ verdict }) => verdict)).not.toContain('met')
  })

  it('are known as well as two equal rows are equal', () => {
    expect(noiseOf(result)).toBeCloseTo(0.05)
    expect(noiseOf({ ...result, rows: [] })).toBeUndefined()
  })
})

describe('the chart', () => {
  const chart = drawChart(result.rows)

  it('has a bar for each row, in the order of the questions', () => {
    for (const { name } of arrange(result.rows).flatMap(({ rows }) => rows))
      expect(chart).toContain(`>${name}<`)
    expect(chart.match(/<rect class="wire"/g)).toHaveLength(1 + 4)
  })

  it('cuts bars that would make all others short', () => {
    expect(longestBar([20, 65, 2000], 20)).toBe(140)
    expect(longestBar([20, 30, 40], 20)).toBe(40)
    expect(longestBar([20, 30, 400], undefined)).toBe(400)
    // Two strokes through each: of 150 and 2,000, but not of 140.
    expect(chart.match(/class="cut"/g)).toHaveLength(4)
  })

  it('is readable on light and on dark pages, and stands alone', () => {
    expect(chart).toContain('prefers-color-scheme: dark')
    expect(chart).not.toMatch(/href|<script|url\(/)
  })

  it('keeps names from being markup', () => {
    expect(drawChart([row('nginx plain', 1), { ...row('nginx TLS', 2), name: 'nginx TLS' }])).not.toContain(
      'NaN',
    )
    expect(drawChart([])).not.toContain('NaN')
  })
})

describe('the page', () => {
  const page = writePage(result, 'Next: write less.')

  it('tells goals, numbers, latency, memory and what is missing', () => {
    expect(page).toContain('**1.30 times**')
    expect(page).toContain('| 10,000 routes against 10 | 1.05 times | 1.15 | **missed** |')
    expect(page).toContain('| haproxy RS256 | 65.0 | 3.25 |')
    expect(page).toContain('| nginx plain | 0.20 | 0.90 | 2.00 | 1 % |')
    expect(page).toContain('| portcullis wire RS256 warm | 9,500 | 90.0 | 140.0 | 5.40 | 5.60 |')
    expect(page).toContain('- nginx lua HS256: not measured: not installed')
    expect(page).toContain('Next: write less.')
    expect(page).not.toMatch(/NaN|undefined/)
  })

  it.skipIf(!existsSync(join(root, 'docs', 'performance.json')))(
    'is made of the numbers beside it (node bench/page.ts)',
    () => {
      const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
      const measured = JSON.parse(read('docs', 'performance.json')) as Result
      const notes = existsSync(join(root, 'bench', 'notes.md')) ? read('bench', 'notes.md') : ''
      const growth = new Set(growthOf(measured.rows))
      expect(read('docs', 'performance.md')).toBe(writePage(measured, notes))
      expect(read('docs', 'performance.svg')).toBe(
        drawChart(measured.rows.filter((each) => !growth.has(each))),
      )
    },
  )
})

describe('names of rows', () => {
  const names = allRows(1).map(({ name }) => name)
  const readme = readFileSync(join(root, 'bench', 'README.md'), 'utf8')

  it('are told apart', () => expect(new Set(names).size).toBe(names.length))

  it('stand in the README', () => {
    const missing = names
      .map((name) => name.replace(/^portcullis (?:wire|node) /, ''))
      .filter((label) => !readme.includes(`\`${label}\``))
    expect(missing).toEqual([])
  })

  it('are those that latency, memory and the profile are asked of', () => {
    expect([...latencyNames, ...memoryNames, profiledName].filter((name) => !names.includes(name))).toEqual(
      [],
    )
  })

  it('all have their place on the page', () => {
    const rows = names.map((name) => row(name, 1))
    const placed = new Set(
      [...arrange(rows).flatMap((section) => section.rows), ...growthOf(rows)].map(({ name }) => name),
    )
    expect(names.filter((name) => !placed.has(name))).toEqual([])
  })
})

describe('tables', () => {
  it('put the first column to the left and the others to the right', () => {
    const columns = [
      ['name', ({ name }: { name: string }) => name],
      ['n', ({ n }: { n: number }) => String(n)],
    ] as const
    expect(formatTable<{ name: string; n: number }>([{ name: 'a', n: 100 }], columns)).toBe(
      'name    n\n────  ───\na     100',
    )
  })
})
