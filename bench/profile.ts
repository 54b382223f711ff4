// npm run bench -- --profile ROW: where the time of one row goes.
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { timeByThread, treeOf } from './cpu.ts'
import { createLoad } from './load.ts'
import type { Load } from './load.ts'
import { sumUp } from './profile/cpu-profile.ts'
import type { CpuProfile, ProfileSums } from './profile/cpu-profile.ts'
import { hasPerf, perfOptions, removeNames, samplePerf } from './profile/perf.ts'
import type { PerfSums, Share } from './profile/perf.ts'
import { probe } from './probe.ts'
import { progress } from './progress.ts'
import type { Row, RowStage, StartedRow } from './rows.ts'
import { loadCore } from './stage.ts'
import { round } from './statistics.ts'
import { requestPath } from './targets/target.ts'

/** Something that takes time: microseconds a request, and the part of all. */
export interface Cost extends Share {
  readonly micros: number
}

/** Where the time of a row goes; lists from the most to the least. */
export interface Profile {
  readonly name: string
  readonly seconds: number
  /** Where the main thread was, as V8's profiler samples it; absent where the target is not JavaScript. */
  readonly inside?: {
    readonly microsPerRequest: number
    readonly rooms: readonly Cost[]
    readonly files: readonly Cost[]
    readonly functions: readonly Cost[]
  }
  /** What the kernel counts for each thread. */
  readonly threads: readonly Cost[]
  /** Absent where perf cannot be used. */
  readonly perf?: PerfSums
}

/** How a row is profiled. */
export interface ProfileSetting {
  readonly seconds: number
  readonly connections: number
}

const root = join(import.meta.dirname, '..')
const warmUp = 5

/** Starts the row twice, with V8's profiler and with perf, as neither must see the other. */
export async function profileRow(stage: RowStage, row: Row, setting: ProfileSetting): Promise<Profile> {
  const { name } = row
  const prepare = async (kind: string, nodeOptions: readonly string[]): Promise<Prepared> => {
    progress(`${kind}: ${name}`)
    const folder = join(stage.folder, kind)
    await mkdir(folder)
    const options = nodeOptions.map((option) => option.replace('FOLDER', folder))
    const started = await row.start({ ...stage, folder, nodeOptions: options })
    await probe(name, started)
    const plan = {
      url: started.target.url + requestPath,
      ...(started.callers === undefined ? {} : { callers: started.callers }),
    }
    const { connections } = setting
    const load = await createLoad(stage.processes, { name, folder, core: loadCore, connections }, plan)
    await load.run(warmUp)
    await load.prepare(setting.seconds)
    return { started, load, folder }
  }

  const inside = await profileInside(await prepare('profiler', cpuProfileOptions), setting)
  const outside = await profileOutside(stage, await prepare('perf', hasPerf() ? perfOptions : []), setting)
  progress('')
  return { name, seconds: setting.seconds, ...(inside === undefined ? {} : { inside }), ...outside }
}

interface Prepared {
  readonly started: StartedRow
  readonly load: Load
  readonly folder: string
}

const cpuProfileOptions = ['--cpu-prof', '--cpu-prof-interval=500', '--cpu-prof-dir=FOLDER']

async function profileInside(
  { started, load, folder }: Prepared,
  { seconds }: ProfileSetting,
): Promise<Profile['inside']> {
  const pids = treeOf(started.target.process.pid)
  const before = mainThreadOf(pids)
  // V8's clock is the monotonic one, and so is this.
  const from = Number(process.hrtime.bigint() / 1000n)
  const { requests } = await load.run(seconds)
  const until = Number(process.hrtime.bigint() / 1000n)
  const spent = mainThreadOf(pids) - before
  await started.target.process.stop(30_000)
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'))
  const profiles = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile),
  )
  // Of several threads, the one that worked most is the one that carries requests.
  const [sums] = profiles
    .map((profile) => sumUp(profile, from, until, root))
    .sort((a, b) => b.busyMicros - a.busyMicros)
  if (sums === undefined) return undefined
  // The profiler's clock goes on while the thread waits for its core: its shares are told of the time on the core.
  const costs = (times: ProfileSums['rooms'], most: number): Cost[] =>
    times
      .slice(0, most)
      .map(({ name, micros }) => toCost(name, (micros / sums.busyMicros) * spent, spent, requests))
  return {
    microsPerRequest: round(spent / requests, 2),
    rooms: costs(sums.rooms, 25),
    files: costs(sums.files, 40),
    functions: costs(sums.functions, 60),
  }
}

async function profileOutside(
  { processes }: RowStage,
  { started, load, folder }: Prepared,
  { seconds }: ProfileSetting,
): Promise<Pick<Profile, 'threads' | 'perf'>> {
  const pids = treeOf(started.target.process.pid)
  process.once('exit', () => removeNames(pids))
  const before = timeByThread(pids)
  let requests = 0
  const work = async (): Promise<void> => {
    requests = (await load.run(seconds)).requests
  }
  const perf = hasPerf() ? await samplePerf(processes, folder, pids, work) : undefined
  if (perf === undefined) await work()
  const spent = [...timeByThread(pids)].map(([name, micros]) => ({
    name,
    micros: micros - (before.get(name) ?? 0),
  }))
  await started.target.process.stop()
  const all = spent.reduce((sum, { micros }) => sum + micros, 0)
  const threads = spent
    .map(({ name, micros }) => toCost(name, micros, all, requests))
    .filter(({ part }) => part > 0.001)
    .sort((a, b) => b.micros - a.micros)
  return { threads, ...(perf === undefined ? {} : { perf }) }
}

/** In microseconds. */
function mainThreadOf(pids: readonly number[]): number {
  const [, micros = 0] = [...timeByThread(pids)].find(([name]) => name.endsWith('(main)')) ?? []
  return micros
}

function toCost(name: string, micros: number, all: number, requests: number): Cost {
  return { name, part: round(micros / all, 4), micros: round(micros / requests, 2) }
}

/** The profile as text for a terminal. */
export function describeProfile({ name, seconds, inside, threads, perf }: Profile): string {
  const parts = [
    `Where the time of "${name}" goes, under ${seconds} s of load`,
    list('CPU µs a request by thread, as the kernel counts', threads),
  ]
  if (inside !== undefined) {
    parts.push(
      `V8's profiler, main thread (${inside.microsPerRequest.toFixed(1)} µs a request): share, µs a request, self time`,
      list('By room', inside.rooms),
      list('By file', inside.files),
      list('By function', inside.functions),
    )
  }
  if (perf === undefined)
    parts.push('perf is not installed or not allowed here: nothing is known of the kernel.')
  else parts.push(list('perf: share of all samples by place', perf.places), list('By symbol', perf.symbols))
  return parts.join('\n\n')
}

function list(title: string, costs: readonly (Share & Partial<Cost>)[]): string {
  const lines = costs.map(({ name, part, micros }) => {
    const cost = micros === undefined ? '' : micros.toFixed(2).padStart(9)
    return `  ${`${(part * 100).toFixed(1)} %`.padStart(7)}${cost}  ${name}`
  })
  return [title, ...lines].join('\n')
}
