// One measured run, and another one where somebody else was using the machine.
import type { CpuMeter, CpuTime } from './cpu.ts'
import type { MeasurableRow } from './measure.ts'

/** What a run came to. */
export interface Run {
  readonly perSecond: number
  readonly cpuMicros: number
  /** The part of it that the kernel took. */
  readonly kernelShare: number
  /** What processes other than ours used meanwhile, in cores. */
  readonly foreignCores: number
}

/** How runs are made. */
export interface RunSetting {
  readonly seconds: number
  readonly cpu: CpuMeter
  /** The process below which everything runs that is ours: targets, upstream and wrk. */
  readonly ownPid: number
  /** Seconds that are left for repeating disturbed runs; runs take from it. */
  readonly patience: { seconds: number }
}

/** Above this, a run is worth repeating. */
export const disturbed = 0.12

const attempts = 3

/** Measures a row; of a disturbed run and its repetitions, the least disturbed one counts. */
export async function runOnce(setting: RunSetting, row: MeasurableRow): Promise<Run> {
  let best = await attempt(setting, row)
  for (let number = 1; number < attempts && best.foreignCores > disturbed; number++) {
    if (setting.patience.seconds < setting.seconds) break
    setting.patience.seconds -= setting.seconds
    const again = await attempt(setting, row)
    if (again.foreignCores < best.foreignCores) best = again
  }
  return best
}

async function attempt(setting: RunSetting, row: MeasurableRow): Promise<Run> {
  await row.load.prepare(setting.seconds)
  const start = readClocks(setting, row)
  const { requests, seconds } = await row.load.run(setting.seconds)
  const end = readClocks(setting, row)
  const foreign = end.machine - start.machine - (end.own - start.own)
  return {
    perSecond: requests / seconds,
    cpuMicros: (end.target.all - start.target.all) / requests,
    kernelShare: (end.target.kernel - start.target.kernel) / (end.target.all - start.target.all),
    foreignCores: Math.max(0, foreign / (end.wall - start.wall)),
  }
}

interface Clocks {
  readonly wall: number
  readonly target: CpuTime
  readonly own: number
  readonly machine: number
}

function readClocks(setting: RunSetting, row: MeasurableRow): Clocks {
  return {
    wall: performance.now() * 1000,
    target: setting.cpu.ofTree(row.target.process.pid),
    own: setting.cpu.ofTreeAndEnded(setting.ownPid).all,
    machine: setting.cpu.ofMachine(),
  }
}
