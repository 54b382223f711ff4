// How often a gateway knew a token already, by its own metrics: the proof that warm rows are warm and cold ones cold.
import { ask } from './probe.ts'
import type { MeasurableRow } from './measure.ts'

/** Counters by the name of the row; rows that tell nothing are absent. */
export type CacheCounts = ReadonlyMap<string, { readonly hits: number; readonly misses: number }>

/** Reads the counters of all rows. */
export async function cacheCounts(
  rows: readonly Pick<MeasurableRow, 'name' | 'target'>[],
): Promise<CacheCounts> {
  const counts = new Map<string, { hits: number; misses: number }>()
  for (const { name, target } of rows) {
    if (target.metricsUrl === undefined) continue
    const { status, body } = await ask(target.metricsUrl, {}).catch(() => ({ status: 0, body: '' }))
    if (status !== 200) continue
    counts.set(name, {
      hits: total(body, 'token_cache_hits_total'),
      misses: total(body, 'token_cache_misses_total'),
    })
  }
  return counts
}

function total(metrics: string, name: string): number {
  const lines = metrics.matchAll(new RegExp(`^portcullis_${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))
  return [...lines].reduce((sum, line) => sum + Number(line[1]), 0)
}

/** The part of look-ups between two readings that hit; undefined if there were none, or nobody counts. */
export function hitShare(
  before: { hits: number; misses: number } | undefined,
  after: { hits: number; misses: number } | undefined,
): number | undefined {
  if (before === undefined || after === undefined) return undefined
  const hits = after.hits - before.hits
  const all = hits + after.misses - before.misses
  return all === 0 ? undefined : hits / all
}
