// A result as text for a terminal.
import { judge, noiseOf } from './goals.ts'
import type { Verdict } from './goals.ts'
import type { LatencyRow } from './latency/measure.ts'
import type { MemoryRow } from './memory/measure.ts'
import { describeProfile } from './profile.ts'
import type { Result } from './result.ts'
import { formatTable, percent, rowColumns } from './table.ts'
import type { Column } from './table.ts'

export const latencyColumns: readonly Column<LatencyRow>[] = [
  ['target', (row) => row.name],
  ['p50 ms', (row) => row.p50.toFixed(2)],
  ['p99 ms', (row) => row.p99.toFixed(2)],
  ['p99.9 ms', (row) => row.p999.toFixed(2)],
  ['generator late', (row) => percent(row.lateShare)],
]

export const memoryColumns: readonly Column<MemoryRow>[] = [
  ['target', (row) => row.name],
  ['connections', (row) => row.connections.toLocaleString('en')],
  ['MiB without', (row) => row.idleMiB.toFixed(1)],
  ['MiB with', (row) => row.heldMiB.toFixed(1)],
  ['KiB each', (row) => row.kibPerConnection.toFixed(2)],
  ['KiB each further', (row) => row.kibPerFurtherConnection.toFixed(2)],
]

export const verdictColumns: readonly Column<Verdict>[] = [
  ['against', (verdict) => verdict.goal],
  ['at most', (verdict) => `${verdict.limit} ${verdict.unit}`],
  ['found', (verdict) => (verdict.found === undefined ? '–' : verdict.found.toFixed(2))],
  ['', (verdict) => verdict.verdict],
  ['compared', (verdict) => verdict.compared],
]

/** @param disturbed the number of foreign cores from which on a run counts as disturbed */
export function formatReport(result: Result, disturbed: number): string {
  const { rows, latency, memory, profile, skipped, failed, foreignCores, setting } = result
  const parts: string[] = []
  if (rows.length > 0) parts.push(formatTable(rows, rowColumns))
  if (latency.length > 0) {
    parts.push(`Latency at ${setting.rate} requests a second:`, formatTable(latency, latencyColumns))
  }
  if (memory.length > 0) parts.push('Memory of idle connections:', formatTable(memory, memoryColumns))
  if (profile !== undefined) parts.push(describeProfile(profile))
  const verdicts = judge(result).filter(({ verdict }) => verdict !== 'not measured')
  if (verdicts.length > 0) parts.push('Goals:', formatTable(verdicts, verdictColumns))
  parts.push(remarks(result, foreignCores > disturbed).join('\n'))
  const missing = [
    ...skipped.map(({ name, reason }) => `Skipped: ${name} (${reason})`),
    ...failed.map(({ name }) => `FAILED, and so not in the tables: ${name}`),
  ]
  if (missing.length > 0) parts.push(missing.join('\n'))
  return `\n${parts.join('\n\n')}`
}

function remarks(result: Result, isDisturbed: boolean): string[] {
  const noise = noiseOf(result)
  return [
    `Other processes used up to ${percent(result.foreignCores)} of a core during a run${
      isDisturbed ? ': read the CPU column, and rather the ratios than the numbers.' : '.'
    }`,
    ...(noise === undefined ? [] : [`Equal rows differ by up to ${percent(noise)}: so good are the ratios.`]),
    ...result.rows
      .filter(({ name, cacheHits = 0 }) => / (?:cold|strangers)$/.test(name) && cacheHits > 0.02)
      .map(({ name }) => `${name}: some tokens were still known; --cold-tokens must be larger.`),
  ]
}
