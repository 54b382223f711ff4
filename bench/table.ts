// Tables as people read them in a terminal.
import type { ResultRow } from './result.ts'

/** A column: its title, and what stands in it. */
export type Column<T> = readonly [title: string, value: (row: T) => string]

export const rowColumns: readonly Column<ResultRow>[] = [
  ['target', (row) => row.name],
  ['CPU µs/req', (row) => row.cpuMicrosPerRequest.toFixed(1)],
  ['CPU ÷ nginx', (row) => row.cpuRatioToNginx.toFixed(2)],
  ['kernel', (row) => percent(row.kernelShare)],
  ['req/s', (row) => Math.round(row.requestsPerSecond).toLocaleString('en')],
  ['÷ nginx', (row) => row.ratioToNginx.toFixed(2)],
  ['core busy', (row) => percent(row.busy)],
  ['spread', (row) => percent(row.spread)],
  ['known tokens', (row) => (row.cacheHits === undefined ? '' : percent(row.cacheHits))],
]

export function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

/** Titles first, then a line for each row. */
export function cellsOf<T>(rows: readonly T[], columns: readonly Column<T>[]): string[][] {
  return [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, value]) => value(row)))]
}

/** Aligned text: the first column to the left, numbers to the right. */
export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = cellsOf(rows, columns)
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
