/** Copies a span of the log out: `jsonl` byte for byte, so that its chain can be checked elsewhere, or `csv` for a spreadsheet. */
import { parseRecord } from '../format/event.ts'
import { readLines } from '../format/lines.ts'
import { listSegments } from '../format/segments.ts'
import { csvHeader, csvRow } from './csv.ts'
import { matches, type AuditFilter } from './filter.ts'
import { ifThere } from './scan.ts'

export const exportFormats = ['jsonl', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

export interface ExportOptions extends Pick<AuditFilter, 'since' | 'until'> {
  readonly format: ExportFormat
}

/** Yields the text in pieces, oldest first. Memory stays bounded. */
export async function* exportLog(directory: string, options: ExportOptions): AsyncGenerator<string> {
  const { format, ...filter } = options
  if (format === 'csv') yield csvHeader
  for (const segment of await listSegments(directory)) {
    for await (const lines of ifThere(readLines(segment.path))) {
      const pieces = lines.flatMap((line) => {
        const text = line.bytes.toString('utf8')
        const record = line.isComplete ? parseRecord(text) : undefined
        if (record === undefined || !matches(filter, record)) return []
        return [format === 'csv' ? csvRow(record) : `${text}\n`]
      })
      if (pieces.length > 0) yield pieces.join('')
    }
  }
}
