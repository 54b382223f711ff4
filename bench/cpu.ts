// CPU time as the kernel counts it. Of all numbers here it is the one that a busy machine disturbs least.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

/** In microseconds. */
export interface CpuTime {
  /** Of the program and of the kernel for it. */
  readonly all: number
  readonly kernel: number
}

/** Reads CPU time. */
export interface CpuMeter {
  /** User and system time of a process, its threads and its living descendants. */
  ofTree(pid: number): CpuTime
  /** The same, and that of descendants which have ended and were waited for. */
  ofTreeAndEnded(pid: number): CpuTime
  /** Time in which any core worked for any process, in microseconds. */
  ofMachine(): number
}

/** Asks the kernel once how long a tick is. */
export function createCpuMeter(): CpuMeter {
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const micros = (ticks: number): number => (ticks * 1_000_000) / ticksPerSecond
  const toTime = ({ user, system }: Ticks): CpuTime => ({
    all: micros(user + system),
    kernel: micros(system),
  })
  return {
    ofTree: (pid) => toTime(sumTree(readAll(), pid)),
    ofTreeAndEnded(pid) {
      const all = readAll()
      return toTime(add(sumTree(all, pid), all.get(pid)?.ended ?? noTicks))
    },
    ofMachine() {
      // Not the time in interrupts: here that is the loopback network at our own work, charged to no process.
      const [, user = 0, nice = 0, system = 0] =
        readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/\s+/).map(Number) ?? []
      return micros(user + nice + system)
    },
  }
}

/** Resident memory of a process and its living descendants, in bytes. */
export function residentBytes(pid: number): number {
  const all = readAll()
  const sum = (root: number): number =>
    (all.get(root)?.residentPages ?? 0) +
    childrenOf(all, root).reduce((total, child) => total + sum(child), 0)
  return sum(pid) * 4096
}

/** CPU time of the threads of processes, in microseconds, added up by what they call themselves. */
export function timeByThread(pids: readonly number[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`
      const name = readFileSync(`${folder}/comm`, 'utf8').trim() + (Number(thread) === pid ? ' (main)' : '')
      // Nanoseconds on a core, then time spent waiting for one.
      const [nanoseconds = '0'] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ')
      times.set(name, (times.get(name) ?? 0) + Number(nanoseconds) / 1000)
    }
  }
  return times
}

/** A process and its living descendants. */
export function treeOf(pid: number): readonly number[] {
  const all = readAll()
  const below = (root: number): number[] => [root, ...childrenOf(all, root).flatMap(below)]
  return below(pid)
}

interface Ticks {
  readonly user: number
  readonly system: number
}

const noTicks: Ticks = { user: 0, system: 0 }

interface Stat {
  readonly parent: number
  readonly own: Ticks
  /** Of children that have ended. */
  readonly ended: Ticks
  readonly residentPages: number
}

function readAll(): ReadonlyMap<number, Stat> {
  const all = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const stat = Number.isNaN(pid) ? undefined : readStat(pid)
    if (stat !== undefined) all.set(pid, stat)
  }
  return all
}

/** @see proc_pid_stat(5): after the name in brackets, which may hold anything, come state, parent and so on */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const at = (field: number): number => Number(fields[field - 3])
    return {
      parent: at(4),
      own: { user: at(14), system: at(15) },
      ended: { user: at(16), system: at(17) },
      residentPages: at(24),
    }
  } catch {
    return undefined
  }
}

function sumTree(all: ReadonlyMap<number, Stat>, pid: number): Ticks {
  return childrenOf(all, pid)
    .map((child) => sumTree(all, child))
    .reduce(add, all.get(pid)?.own ?? noTicks)
}

function add(one: Ticks, other: Ticks): Ticks {
  return { user: one.user + other.user, system: one.system + other.system }
}

function childrenOf(all: ReadonlyMap<number, Stat>, pid: number): number[] {
  return [...all].filter(([, stat]) => stat.parent === pid).map(([child]) => child)
}
