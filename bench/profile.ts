// npm run bench -- --profile ROW: where the time of one row goes.
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { timeByThread, treeOf } from './cpu.ts'
import { createLoad } from './load.ts'
import type { Load } from './load.ts'
import { sumUp } from './profile/cpu-profile.ts'
import type { CpuProfile, ProfileSums, SelfTime } from './profile/cpu-profile.ts'
import { hasPerf, perfOptions, samplePerf } from './profile/perf.ts'
import type { PerfSums } from './profile/perf.ts'
import { probe } from './probe.ts'
import { progress } from './progress.ts'
import { allRows } from './rows.ts'
import type { RowStage, StartedRow } from './rows.ts'
import { loadCore } from './stage.ts'
import { requestPath } from './targets/target.ts'

interface Setting {
  readonly seconds: number
  readonly connections: number
  readonly coldTokens: number
}

const root = join(import.meta.dirname, '..')

/**
 * Starts the row twice, with V8's profiler and with perf, as neither must see the other.
 *
 * @throws {Error} for a name that is no row's
 */
export async function profileRow(stage: RowStage, name: string, setting: Setting): Promise<string> {
  const rows = allRows(setting.coldTokens)
  const row = rows.find((each) => each.name === name)
  if (row === undefined) {
    throw new Error(
      `there is no row "${name}"; there are:\n${rows.map((each) => `  ${each.name}`).join('\n')}`,
    )
  }
  const prepare = async (kind: string, nodeOptions: readonly string[]): Promise<Prepared> => {
    progress(`${kind}: ${name}`)
    const folder = join(stage.folder, kind)
    await mkdir(folder)
    const started = await row.start({ ...stage, folder, nodeOptions })
    await probe(name, started)
    const load = await loadFor(stage, name, folder, started, setting)
    await load.run(3)
    return { started, load, folder }
  }

  const parts = [`Where the time of "${name}" goes, under ${setting.seconds} s of load`]
  const inside = await profileInside(await prepare('profiler', cpuProfileOptions(stage)), setting, stage)
  if (inside !== undefined) parts.push(describeInside(inside.sums, inside.requests))
  if (hasPerf()) {
    const prepared = await prepare('perf', perfOptions)
    await prepared.load.prepare(setting.seconds)
    const pids = treeOf(prepared.started.target.process.pid)
    const before = timeByThread(pids)
    let requests = 0
    const sums = await samplePerf(stage.processes, prepared.folder, pids, async () => {
      requests = (await prepared.load.run(setting.seconds)).requests
    })
    parts.push(describeThreads(before, timeByThread(pids), requests), describePerf(sums))
    await prepared.started.target.process.stop()
  } else parts.push('perf is not installed or not allowed here, so nothing is known of the kernel.')
  progress('')
  return parts.join('\n\n')
}

interface Prepared {
  readonly started: StartedRow
  readonly load: Load
  readonly folder: string
}

function loadFor(
  stage: RowStage,
  name: string,
  folder: string,
  { target, callers }: StartedRow,
  { connections }: Setting,
): Promise<Load> {
  const plan = { url: target.url + requestPath, ...(callers === undefined ? {} : { callers }) }
  return createLoad(stage.processes, { name, folder, core: loadCore, connections }, plan)
}

function cpuProfileOptions({ folder }: RowStage): string[] {
  return ['--cpu-prof', '--cpu-prof-interval=500', '--cpu-prof-dir', join(folder, 'profiler')]
}

/** @returns undefined where the target does not run on Node.js */
async function profileInside(
  { started, load, folder }: Prepared,
  { seconds }: Setting,
  { folder: base }: RowStage,
): Promise<{ readonly sums: ProfileSums; readonly requests: number } | undefined> {
  await load.prepare(seconds)
  // V8's clock is the monotonic one, and so is this.
  const from = Number(process.hrtime.bigint() / 1000n)
  const { requests } = await load.run(seconds)
  const until = Number(process.hrtime.bigint() / 1000n)
  await started.target.process.stop(30_000)
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'))
  const profiles = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(base, 'profiler', file), 'utf8')) as CpuProfile),
  )
  // Of several threads, the one that worked most is the one that carries requests.
  const [most] = profiles
    .map((profile) => sumUp(profile, from, until, root))
    .sort((a, b) => b.busyMicros - a.busyMicros)
  return most === undefined ? undefined : { sums: most, requests }
}

function describeInside(sums: ProfileSums, requests: number): string {
  const list = (title: string, times: readonly SelfTime[], most: number): string => {
    const lines = times.slice(0, most).map(({ name, micros }) => {
      const share = `${((micros / sums.busyMicros) * 100).toFixed(1)} %`
      return `  ${share.padStart(7)} ${(micros / requests).toFixed(2).padStart(8)}  ${name}`
    })
    return [title, ...lines].join('\n')
  }
  const idle = Math.round((sums.idleMicros / (sums.idleMicros + sums.busyMicros)) * 100)
  return [
    `V8's profiler: ${(sums.busyMicros / requests).toFixed(1)} µs a request (${requests.toLocaleString('en')} requests, ${idle} % of the time idle). Share, µs a request, self time:`,
    list('By room', sums.rooms, 25),
    list('By file', sums.files, 40),
    list('By function', sums.functions, 60),
  ].join('\n\n')
}

function describeThreads(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  requests: number,
): string {
  const lines = [...after]
    .map(([name, micros]) => ({ name, micros: micros - (before.get(name) ?? 0) }))
    .sort((a, b) => b.micros - a.micros)
    .map(({ name, micros }) => `  ${(micros / requests).toFixed(2).padStart(8)}  ${name}`)
  return ['CPU µs a request by thread', ...lines].join('\n')
}

function describePerf({ places, symbols }: PerfSums): string {
  const list = (title: string, shares: PerfSums['places'], most: number): string =>
    [
      title,
      ...shares
        .slice(0, most)
        .map(({ name, part }) => `  ${`${(part * 100).toFixed(1)} %`.padStart(7)}  ${name}`),
    ].join('\n')
  return ['perf: share of all samples', list('By place', places, 8), list('By symbol', symbols, 40)].join(
    '\n\n',
  )
}
