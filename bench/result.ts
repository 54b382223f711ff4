// What a run found, as `--json` writes it and the page and the chart read it.
import type { LatencyRow } from './latency/measure.ts'
import type { MeasuredRow, MissingRow } from './measure.ts'
import type { MemoryRow } from './memory/measure.ts'
import type { Profile } from './profile.ts'
import type { Versions } from './requirements.ts'
import { round } from './statistics.ts'

/** One row of the table. Times and rates are medians over the rounds, ratios are to `nginx plain` of the same rounds. */
export interface ResultRow {
  readonly name: string
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  readonly ratioToNginx: number
  readonly cpuRatioToNginx: number
  readonly kernelShare: number
  readonly busy: number
  readonly spread: number
  readonly cacheHits?: number
}

/** Everything. */
export interface Result {
  readonly date: string
  readonly machine: { readonly processor: string; readonly kernel: string; readonly memoryGiB: number }
  readonly versions: Versions
  readonly setting: {
    readonly rounds: number
    readonly seconds: number
    readonly connections: number
    readonly coldTokens: number
    /** Requests a second of the latency rows. */
    readonly rate: number
  }
  readonly rows: readonly ResultRow[]
  readonly latency: readonly LatencyRow[]
  readonly memory: readonly MemoryRow[]
  readonly profile?: Profile
  readonly skipped: readonly MissingRow[]
  readonly failed: readonly MissingRow[]
  /** The most that other processes used during a run that counts, in cores. */
  readonly foreignCores: number
}

/** Rounds to what was measured. */
export function toResultRow(row: MeasuredRow): ResultRow {
  return {
    name: row.name,
    requestsPerSecond: round(row.requestsPerSecond, 1),
    cpuMicrosPerRequest: round(row.cpuMicrosPerRequest, 2),
    ratioToNginx: round(row.ratioToNginx, 4),
    cpuRatioToNginx: round(row.cpuRatioToNginx, 4),
    kernelShare: round(row.kernelShare, 3),
    busy: round(row.busy, 3),
    spread: round(row.spread, 3),
    ...(row.cacheHits === undefined ? {} : { cacheHits: round(row.cacheHits, 3) }),
  }
}
