// Interleaved rounds: A B C … A B C …, so that a slow minute of the machine falls on all rows alike.
import { cacheCounts, hitShare } from './cache-counts.ts'
import type { CacheCounts } from './cache-counts.ts'
import type { Load } from './load.ts'
import { runOnce } from './one-run.ts'
import type { Run, RunSetting } from './one-run.ts'
import { baseline } from './rows.ts'
import type { RunningTarget } from './targets/target.ts'

/** A row with everything that a run needs. */
export interface MeasurableRow {
  readonly name: string
  readonly target: RunningTarget
  readonly load: Load
}

/** What a row came to. */
export interface MeasuredRow {
  readonly name: string
  /** Median over the rounds. */
  readonly requestsPerSecond: number
  /** Median over the rounds. */
  readonly cpuMicrosPerRequest: number
  readonly ratioToNginx: number
  /** CPU time as a multiple of nginx's. */
  readonly cpuRatioToNginx: number
  /** Between the fastest and the slowest round, as a part of the median. */
  readonly spread: number
  /** The part of requests whose token was known already, where the target tells. */
  readonly cacheHits: number | undefined
}

/** All rows, and how much the rest of the machine was in the way. */
export interface Measurement {
  readonly rows: readonly MeasuredRow[]
  /** The most that processes other than ours used during a run that counts, in cores. */
  readonly foreignCores: number
}

/** Warms every row up, then measures them in turn. */
export async function measure(
  rows: readonly MeasurableRow[],
  setting: RunSetting & {
    readonly rounds: number
    readonly onRun: (round: number, name: string) => void
  },
): Promise<Measurement> {
  const runs = new Map<string, Run[]>(rows.map((row) => [row.name, []]))
  for (const row of rows) {
    setting.onRun(0, row.name)
    await row.load.run(setting.seconds)
  }
  const before = await cacheCounts(rows)
  for (let round = 1; round <= setting.rounds; round++) {
    for (const row of rows) {
      setting.onRun(round, row.name)
      runs.get(row.name)?.push(await runOnce(setting, row))
    }
  }
  const after = await cacheCounts(rows)
  const foreignCores = Math.max(...[...runs.values()].flat().map((run) => run.foreignCores))
  return { rows: summarise(rows, runs, before, after), foreignCores }
}

function summarise(
  rows: readonly MeasurableRow[],
  runs: ReadonlyMap<string, readonly Run[]>,
  before: CacheCounts,
  after: CacheCounts,
): MeasuredRow[] {
  const rate = (name: string): number => median((runs.get(name) ?? []).map((run) => run.perSecond))
  const cpu = (name: string): number => median((runs.get(name) ?? []).map((run) => run.cpuMicros))
  return rows.map(({ name }) => {
    const rates = (runs.get(name) ?? []).map((run) => run.perSecond)
    return {
      name,
      requestsPerSecond: rate(name),
      cpuMicrosPerRequest: cpu(name),
      ratioToNginx: rate(name) / rate(baseline),
      cpuRatioToNginx: cpu(name) / cpu(baseline),
      spread: (Math.max(...rates) - Math.min(...rates)) / rate(name),
      cacheHits: hitShare(before.get(name), after.get(name)),
    }
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
