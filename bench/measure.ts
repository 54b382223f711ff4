// Interleaved rounds: A B C … A B C …, so that a slow minute of the machine falls on all rows alike.
import type { CpuMeter } from './cpu.ts'
import type { Load } from './load.ts'
import { ask } from './probe.ts'
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
  /** The most that processes other than ours used during a run, in cores. */
  readonly foreignCores: number
}

/** Warms every row up, then measures them in turn. */
export async function measure(
  rows: readonly MeasurableRow[],
  setting: {
    readonly rounds: number
    readonly seconds: number
    readonly cpu: CpuMeter
    /** The process below which everything runs that is ours: targets, upstream and wrk. */
    readonly ownPid: number
    readonly onRun: (round: number, name: string) => void
  },
): Promise<Measurement> {
  const runs = new Map<string, { perSecond: number; cpuMicros: number }[]>(rows.map((row) => [row.name, []]))
  let foreignCores = 0
  for (const row of rows) {
    setting.onRun(0, row.name)
    await row.load.run(setting.seconds)
  }
  const before = await cacheCounts(rows)
  for (let round = 1; round <= setting.rounds; round++) {
    for (const row of rows) {
      setting.onRun(round, row.name)
      const start = readClocks(setting, row)
      const { requests, seconds } = await row.load.run(setting.seconds)
      const end = readClocks(setting, row)
      runs
        .get(row.name)
        ?.push({ perSecond: requests / seconds, cpuMicros: (end.target - start.target) / requests })
      const foreign = end.machine - start.machine - (end.own - start.own)
      foreignCores = Math.max(foreignCores, foreign / (end.wall - start.wall))
    }
  }
  const after = await cacheCounts(rows)
  return { rows: summarise(rows, runs, before, after), foreignCores }
}

interface Clocks {
  readonly wall: number
  readonly target: number
  readonly own: number
  readonly machine: number
}

function readClocks(setting: { cpu: CpuMeter; ownPid: number }, row: MeasurableRow): Clocks {
  return {
    wall: performance.now() * 1000,
    target: setting.cpu.ofTree(row.target.process.pid),
    own: setting.cpu.ofTreeAndEnded(setting.ownPid),
    machine: setting.cpu.ofMachine(),
  }
}

function summarise(
  rows: readonly MeasurableRow[],
  runs: ReadonlyMap<string, readonly { perSecond: number; cpuMicros: number }[]>,
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

type CacheCounts = ReadonlyMap<string, { readonly hits: number; readonly misses: number }>

async function cacheCounts(rows: readonly MeasurableRow[]): Promise<CacheCounts> {
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

function hitShare(
  before: { hits: number; misses: number } | undefined,
  after: { hits: number; misses: number } | undefined,
): number | undefined {
  if (before === undefined || after === undefined) return undefined
  const hits = after.hits - before.hits
  const all = hits + after.misses - before.misses
  return all === 0 ? undefined : hits / all
}
