// Latency at a fixed rate: rounds in turn, as with the other numbers; medians of their percentiles.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MissingRow } from '../measure.ts'
import { indent } from '../processes.ts'
import type { StartedRow } from '../rows.ts'
import type { RowStage } from '../rows.ts'
import { loadCore } from '../stage.ts'
import { median, round } from '../statistics.ts'
import { requestPath } from '../targets/target.ts'
import type { GeneratorPlan, GeneratorResult } from './generator.ts'

/** Milliseconds from the time at which a request was due; medians over the rounds. */
export interface LatencyRow {
  readonly name: string
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** The part of requests that were due while the generator itself was behind. */
  readonly lateShare: number
}

/** How the load is sent. */
export interface LatencySetting {
  readonly rate: number
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly onRun: (round: number, name: string) => void
}

type NamedRow = StartedRow & { readonly name: string }

/** Measures warm rows in turn. A row that fails drops out. */
export async function measureLatency(
  stage: RowStage,
  rows: readonly NamedRow[],
  setting: LatencySetting,
): Promise<{ readonly rows: readonly LatencyRow[]; readonly failed: readonly MissingRow[] }> {
  const results = new Map<string, GeneratorResult[]>(rows.map(({ name }) => [name, []]))
  const failed = new Map<string, MissingRow>()
  for (let number = 1; number <= setting.rounds; number++) {
    for (const row of rows.filter(({ name }) => !failed.has(name))) {
      setting.onRun(number, row.name)
      try {
        results.get(row.name)?.push(await runOnce(stage, row, setting))
      } catch (error) {
        failed.set(row.name, { name: `${row.name} (latency)`, reason: (error as Error).message })
      }
    }
  }
  const summary = rows
    .filter(({ name }) => !failed.has(name))
    .map(({ name }) => summarise(name, results.get(name) ?? []))
  return { rows: summary, failed: [...failed.values()] }
}

function summarise(name: string, results: readonly GeneratorResult[]): LatencyRow {
  const of = (key: keyof GeneratorResult): number => round(median(results.map((result) => result[key])), 3)
  return { name, p50: of('p50'), p99: of('p99'), p999: of('p999'), lateShare: of('lateShare') }
}

async function runOnce(
  stage: RowStage,
  row: NamedRow,
  { rate, seconds, connections }: LatencySetting,
): Promise<GeneratorResult> {
  const lead = 1
  const url = row.target.url + requestPath
  const { callers = [{}] } = row
  const [proofUrl = url] = url.split('?')
  const plan: GeneratorPlan = {
    url,
    callers: 'make' in callers ? callers.make(proofUrl, Math.ceil(rate * (seconds + lead))) : callers,
    rate,
    seconds,
    lead,
    connections,
  }
  const file = join(stage.folder, `latency-${row.name.replaceAll(/\W+/g, '-')}.json`)
  await writeFile(file, JSON.stringify(plan), { mode: 0o600 })
  const process_ = stage.processes.start({
    name: `latency of ${row.name}`,
    core: loadCore,
    // It never rests; the upstream, on the same core, must get its turn at once.
    command: ['nice', '-n', '19', process.execPath, join(import.meta.dirname, 'generator.ts'), file],
  })
  const timer = setTimeout(() => void process_.stop(0), (seconds + lead + 30) * 1000)
  await process_.ended
  clearTimeout(timer)
  const lines = process_.output().split('\n')
  const line = lines.find((each) => each.startsWith('{'))
  if (line === undefined) throw new Error(`the generator said:\n${indent(process_.output())}`)
  const result = JSON.parse(line) as GeneratorResult
  if (result.failed > 0) {
    throw new Error(`${result.failed} of ${result.failed + result.requests} requests failed or came too late`)
  }
  return result
}
