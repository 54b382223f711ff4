// Interleaved rounds: A B C … A B C …, so that a slow minute of the machine falls on all rows alike.
import { cacheCounts, hitShare } from './cache-counts.ts'
import type { CacheCounts } from './cache-counts.ts'
import type { Load } from './load.ts'
import { runOnce } from './one-run.ts'
import type { Run, RunSetting } from './one-run.ts'
import { indent } from './processes.ts'
import { median, spread } from './statistics.ts'
import type { RunningTarget } from './targets/target.ts'

/** A row with everything that a run needs. */
export interface MeasurableRow {
  readonly name: string
  readonly target: RunningTarget
  readonly load: Load
}

/** What a row came to: medians over the rounds. */
export interface MeasuredRow {
  readonly name: string
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  /** Requests per second as a multiple of the baseline's. */
  readonly ratioToNginx: number
  /** CPU time as a multiple of the baseline's. */
  readonly cpuRatioToNginx: number
  /** The part of the CPU time that the kernel took for itself. */
  readonly kernelShare: number
  /** How busy the target kept its core; well below 1, it was the load that could not do more. */
  readonly busy: number
  /** Between the most and the least CPU per request of a round, as a part of the median. */
  readonly spread: number
  /** The part of requests whose token was known already, where the target tells. */
  readonly cacheHits: number | undefined
}

/** A row that is not in the table, and why. */
export interface MissingRow {
  readonly name: string
  readonly reason: string
}

/** All rows, and how much the rest of the machine was in the way. */
export interface Measurement {
  readonly rows: readonly MeasuredRow[]
  /** Rows that broke down under load. */
  readonly failed: readonly MissingRow[]
  /** The most that processes other than ours used during a run that counts, in cores. */
  readonly foreignCores: number
}

/** Warms every row up, then measures them in turn. A row that fails drops out, and the others go on. */
export async function measure(
  all: readonly MeasurableRow[],
  setting: RunSetting & {
    /** The name of the row that the others are compared with. */
    readonly baseline: string
    readonly rounds: number
    /** Seconds of load before anything counts: until then V8 compiles. */
    readonly warmUp: number
    readonly onRun: (round: number, name: string) => void
  },
): Promise<Measurement> {
  const runs = new Map<string, Run[]>(all.map((row) => [row.name, []]))
  const failed = new Map<string, MissingRow>()
  const left = (): MeasurableRow[] => all.filter(({ name }) => !failed.has(name))
  const inTurn = async (round: number, work: (row: MeasurableRow) => Promise<void>): Promise<void> => {
    for (const row of left()) {
      setting.onRun(round, row.name)
      await work(row).catch((error: Error) => {
        const printed = indent(row.target.process.output())
        failed.set(row.name, { name: row.name, reason: `${error.message}\nIt printed:\n${printed}` })
      })
    }
  }

  await inTurn(0, async (row) => void (await row.load.run(setting.warmUp)))
  const before = await cacheCounts(left())
  for (let round = 1; round <= setting.rounds; round++) {
    await inTurn(round, async (row) => void runs.get(row.name)?.push(await runOnce(setting, row)))
  }
  const after = await cacheCounts(left())
  const foreignCores = Math.max(0, ...[...runs.values()].flat().map((run) => run.foreignCores))
  const rows = summarise(left(), setting.baseline, runs, before, after)
  return { rows, failed: [...failed.values()], foreignCores }
}

function summarise(
  rows: readonly MeasurableRow[],
  baseline: string,
  runs: ReadonlyMap<string, readonly Run[]>,
  before: CacheCounts,
  after: CacheCounts,
): MeasuredRow[] {
  const of = (name: string, what: (run: Run) => number): number[] => (runs.get(name) ?? []).map(what)
  const rate = (name: string): number => median(of(name, (run) => run.perSecond))
  const cpu = (name: string): number => median(of(name, (run) => run.cpuMicros))
  return rows.map(({ name }) => ({
    name,
    requestsPerSecond: rate(name),
    cpuMicrosPerRequest: cpu(name),
    ratioToNginx: rate(name) / rate(baseline),
    cpuRatioToNginx: cpu(name) / cpu(baseline),
    kernelShare: median(of(name, (run) => run.kernelShare)),
    busy: median(of(name, (run) => (run.cpuMicros * run.perSecond) / 1_000_000)),
    spread: spread(of(name, (run) => run.cpuMicros)),
    cacheHits: hitShare(before.get(name), after.get(name)),
  }))
}
