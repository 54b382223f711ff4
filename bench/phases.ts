// The parts of a run, one after the other: CPU and latency of the same started targets, growth, memory, one profile.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isChosen } from './choose.ts'
import { createCpuMeter } from './cpu.ts'
import { measureLatency } from './latency/measure.ts'
import { createLoad } from './load.ts'
import { describeMachine } from './machine.ts'
import { measure } from './measure.ts'
import type { MeasurableRow, Measurement, MissingRow } from './measure.ts'
import { measureMemory, mostConnections } from './memory/measure.ts'
import type { BenchOptions } from './options.ts'
import { profileRow } from './profile.ts'
import { progress, sayLoudly } from './progress.ts'
import type { Versions } from './requirements.ts'
import { toResultRow } from './result.ts'
import type { Result } from './result.ts'
import { allRows, baseline, latencyNames, memoryNames, profiledName } from './rows.ts'
import type { Row, RowStage } from './rows.ts'
import { loadCore, startRows } from './stage.ts'
import type { Started } from './stage.ts'
import { requestPath } from './targets/target.ts'

/** Everything that the options ask for. */
export async function measureAll(
  stage: RowStage,
  options: BenchOptions,
  versions: Versions,
): Promise<Result> {
  const { rounds, seconds, connections, coldTokens, rate } = options
  const chosen = chosenRows(options)
  const main = await measureSet(stage, 'main', chosen.main, options)
  const growth = await measureSet(stage, 'growth', chosen.growth, options)
  const started = new Set(main.started.rows.map(({ name }) => name))
  const memory = await memoryOf(
    stage,
    chosen.main.filter(({ name }) => started.has(name) && memoryNames.includes(name)),
    options,
  )
  const profiled = chosen.main.find(({ name }) => name === profiledName && started.has(name))
  const profile =
    profiled === undefined || !options.measures.includes('profile')
      ? undefined
      : await profileRow(stage, profiled, { seconds: options.isQuick ? 3 : 10, connections })
  const isKnown = (name: string): boolean => main.measured.rows.some((row) => row.name === name)
  const rows = [...main.measured.rows, ...growth.measured.rows.filter(({ name }) => !isKnown(name))]
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions,
    setting: { rounds, seconds, connections, coldTokens, rate },
    rows: rows.map(toResultRow),
    latency: main.latency,
    memory: memory.rows,
    ...(profile === undefined ? {} : { profile }),
    skipped: [...main.started.skipped, ...growth.started.skipped],
    failed: [...main.failed, ...growth.failed, ...memory.failed],
    foreignCores: Math.max(main.measured.foreignCores, growth.measured.foreignCores),
  }
}

/** The baseline goes with both. */
function chosenRows({ coldTokens, only, measures }: BenchOptions): {
  readonly main: readonly Row[]
  readonly growth: readonly Row[]
} {
  const rows = allRows(coldTokens)
  const names = rows.map(({ name }) => name)
  const chosen = rows.filter(
    ({ name, onDemand = false }) => (only.length > 0 || !onDemand) && isChosen(name, only, names),
  )
  const first = rows.filter(({ name }) => name === baseline)
  const withFirst = (list: readonly Row[]): readonly Row[] =>
    list.length === 0 ? [] : [...first, ...list.filter(({ name }) => name !== baseline)]
  return {
    main: withFirst(chosen.filter(({ isGrowth = false }) => !isGrowth)),
    growth: measures.includes('cpu') ? withFirst(chosen.filter(({ isGrowth = false }) => isGrowth)) : [],
  }
}

interface SetResult {
  readonly started: Started
  readonly measured: Measurement
  readonly latency: Result['latency']
  readonly failed: readonly MissingRow[]
}

const nothing: Measurement = { rows: [], failed: [], foreignCores: 0 }

/** Starts rows, measures them and ends them. */
async function measureSet(
  base: RowStage,
  set: string,
  rows: readonly Row[],
  options: BenchOptions,
): Promise<SetResult> {
  const stage = { ...base, folder: join(base.folder, set) }
  await mkdir(stage.folder)
  const started = await startRows(stage, rows)
  const loads = await loadsFor(stage, started, options.connections)
  const measured = options.measures.includes('cpu') ? await cpuOf(loads, options) : nothing
  const usable = started.rows.filter(
    ({ name }) => latencyNames.includes(name) && !measured.failed.some((row) => row.name === name),
  )
  const latency =
    options.measures.includes('latency') && usable.length > 0
      ? await latencyOf(stage, usable, loads, options)
      : { rows: [], failed: [] }
  await Promise.all(started.rows.map(({ target }) => target.process.stop()))
  const failed = [...measured.failed, ...latency.failed]
  for (const { name, reason } of failed) sayLoudly(`${name} is left out: ${reason}`)
  return { started, measured, latency: latency.rows, failed: [...started.failed, ...failed] }
}

async function loadsFor(stage: RowStage, { rows }: Started, connections: number): Promise<MeasurableRow[]> {
  return Promise.all(
    rows.map(async ({ name, target, callers }) => {
      const setting = { name, folder: stage.folder, core: loadCore, connections }
      const plan = { url: target.url + requestPath, ...(callers === undefined ? {} : { callers }) }
      return { name, target, load: await createLoad(stage.processes, setting, plan) }
    }),
  )
}

async function cpuOf(loads: readonly MeasurableRow[], options: BenchOptions): Promise<Measurement> {
  return measure(loads, {
    baseline,
    rounds: options.rounds,
    seconds: options.seconds,
    warmUp: options.isQuick ? 2 : Math.max(5, options.seconds),
    cpu: createCpuMeter(),
    ownPid: process.pid,
    patience: { seconds: options.isQuick ? 10 : 120 },
    onRun: (round, name) => progress(round === 0 ? `warming up: ${name}` : `round ${round}: ${name}`),
  })
}

async function latencyOf(
  stage: RowStage,
  rows: Started['rows'],
  loads: readonly MeasurableRow[],
  options: BenchOptions,
): ReturnType<typeof measureLatency> {
  if (!options.measures.includes('cpu')) {
    const names = new Set(rows.map(({ name }) => name))
    for (const { name, load } of loads) if (names.has(name)) await load.run(options.isQuick ? 2 : 5)
  }
  return measureLatency(stage, rows, {
    rate: options.rate,
    rounds: options.rounds,
    seconds: options.isQuick ? 2 : 5,
    connections: options.connections,
    onRun: (round, name) => progress(`latency, round ${round}: ${name}`),
  })
}

async function memoryOf(
  stage: RowStage,
  rows: readonly Row[],
  options: BenchOptions,
): ReturnType<typeof measureMemory> {
  if (!options.measures.includes('memory')) return { rows: [], failed: [] }
  const result = await measureMemory(stage, rows, {
    connections: mostConnections(),
    rest: options.isQuick ? 4 : 15,
    onRun: (name) => progress(`memory: ${name}`),
  })
  for (const { name, reason } of result.failed) sayLoudly(`${name} is left out: ${reason}`)
  return result
}
