/** Finds events: the index says which parts of the log need not be read; what it does not speak of is read. */
import type { AuditRecord } from '../format/event.ts'
import type { Segment } from '../format/segments.ts'
import type { Block } from '../index/block.ts'
import { readIndex } from '../index/files.ts'
import { askFor } from '../index/names.ts'
import type { AuditFilter } from './filter.ts'
import { scanLog, type Span } from './scan.ts'

export interface AuditQuery extends AuditFilter {
  /** The newest so many; default 100. */
  readonly limit?: number | undefined
}

export interface QueryResult {
  /** Oldest first. */
  readonly records: readonly AuditRecord[]
  readonly source: 'index' | 'scan'
  /** For a person: why the index was not used, or not wholly, although it is there. */
  readonly notice?: string
}

/** Answers the same with and without an index, since every record comes from a line of the log. */
export async function queryAudit(directory: string, query: AuditQuery): Promise<QueryResult> {
  const { limit = 100, ...filter } = query
  const mayMatch = compile(filter)
  let source: QueryResult['source'] = 'scan'
  let notice: string | undefined
  const choose = async (segment: Segment): Promise<readonly Span[]> => {
    const index = await readIndex(segment).catch((error: unknown) => {
      // A segment that retention drops while somebody reads is simply not there any more.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') notice ??= noticeOf((error as Error).message)
      return undefined
    })
    if (index === undefined) return spans([], mayMatch)
    if (index.blocks.length > 0) source = 'index'
    if (!index.isSound) notice ??= noticeOf(`that of ${segment.name} does not agree with the log`)
    return spans(index.blocks, mayMatch)
  }
  const records = await scanLog(directory, filter, limit, choose)
  return { records, source, ...(notice !== undefined && { notice }) }
}

function noticeOf(why: string): string {
  return `the index was not used everywhere: ${why}; build it anew with: audit reindex`
}

function compile(filter: AuditFilter): (block: Block) => boolean {
  const { since = -Infinity, until = Infinity } = filter
  const mayName = askFor(filter)
  return ({ earliest, latest, names }) => latest >= since && earliest < until && mayName(names)
}

/** From the end: what no block speaks of is read in any case, and of two blocks that overlap the newer speaks for what both have. */
function spans(blocks: readonly Block[], mayMatch: (block: Block) => boolean): readonly Span[] {
  const chosen: Span[] = []
  let end = Infinity
  for (const block of blocks.toReversed()) {
    if (block.from >= end) continue
    if (block.to < end) chosen.push({ from: block.to, to: end })
    if (mayMatch(block)) chosen.push({ from: block.from, to: Math.min(block.to, end) })
    end = block.from
  }
  if (end > 0) chosen.push({ from: 0, to: end })
  return chosen
}
