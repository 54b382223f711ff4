// CPU time as the kernel counts it. Of all numbers here it is the one that a busy machine disturbs least.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

/** Reads CPU time. */
export interface CpuMeter {
  /** User and system time of a process, its threads and its living descendants, in microseconds. */
  ofTree(pid: number): number
  /** The same, and that of descendants which have ended and were waited for. */
  ofTreeAndEnded(pid: number): number
  /** Time in which any core worked for any process, in microseconds. */
  ofMachine(): number
}

/** Asks the kernel once how long a tick is. */
export function createCpuMeter(): CpuMeter {
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const micros = (ticks: number): number => (ticks * 1_000_000) / ticksPerSecond
  return {
    ofTree: (pid) => micros(sumTree(readAll(), pid)),
    ofTreeAndEnded(pid) {
      const all = readAll()
      return micros(sumTree(all, pid) + (all.get(pid)?.endedTicks ?? 0))
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

interface Stat {
  readonly parent: number
  readonly ticks: number
  readonly endedTicks: number
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
    return { parent: at(4), ticks: at(14) + at(15), endedTicks: at(16) + at(17), residentPages: at(24) }
  } catch {
    return undefined
  }
}

function sumTree(all: ReadonlyMap<number, Stat>, pid: number): number {
  return (
    (all.get(pid)?.ticks ?? 0) + childrenOf(all, pid).reduce((total, child) => total + sumTree(all, child), 0)
  )
}

function childrenOf(all: ReadonlyMap<number, Stat>, pid: number): number[] {
  return [...all].filter(([, stat]) => stat.parent === pid).map(([child]) => child)
}
