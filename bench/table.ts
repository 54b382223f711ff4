// The table as people read it.
import type { MeasuredRow } from './measure.ts'

const columns: readonly (readonly [title: string, value: (row: MeasuredRow) => string])[] = [
  ['target', (row) => row.name],
  ['req/s', (row) => Math.round(row.requestsPerSecond).toLocaleString('en')],
  ['÷ nginx', (row) => row.ratioToNginx.toFixed(2)],
  ['CPU µs/req', (row) => row.cpuMicrosPerRequest.toFixed(1)],
  ['CPU ÷ nginx', (row) => row.cpuRatioToNginx.toFixed(2)],
  ['spread', (row) => `${Math.round(row.spread * 100)} %`],
  ['known tokens', (row) => (row.cacheHits === undefined ? '' : `${Math.round(row.cacheHits * 100)} %`)],
]

/** Aligned text: the first column to the left, numbers to the right. */
export function formatTable(rows: readonly MeasuredRow[]): string {
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => value(row))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)))
  const lines = cells.map((line) =>
    line
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** The rows as other programs read them. */
export function formatJson(rows: readonly MeasuredRow[]): string {
  const plain = rows.map(({ name, requestsPerSecond, cpuMicrosPerRequest, ratioToNginx }) => ({
    name,
    requestsPerSecond: round(requestsPerSecond, 1),
    cpuMicrosPerRequest: round(cpuMicrosPerRequest, 2),
    ratioToNginx: round(ratioToNginx, 4),
  }))
  return `${JSON.stringify({ rows: plain }, undefined, 2)}\n`
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
