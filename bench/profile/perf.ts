// Where the processor was, as the kernel's sampling sees it: kernel, Node's own machine code, compiled JavaScript.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Processes } from '../processes.ts'
import { round } from '../statistics.ts'

/** Part of all samples. */
export interface Share {
  readonly name: string
  readonly part: number
}

/** What perf saw; each list from the most to the least. */
export interface PerfSums {
  readonly places: readonly Share[]
  readonly symbols: readonly Share[]
}

/** Lets V8 tell perf the names of what it compiled. */
export const perfOptions: readonly string[] = ['--perf-basic-prof-only-functions']

/** Whether this machine has perf, and lets us use it. */
export function hasPerf(): boolean {
  return spawnSync('perf', ['record', '-e', 'cpu-clock', '-o', '/dev/null', 'true']).status === 0
}

/** Samples processes while `work` runs. */
export async function samplePerf(
  processes: Processes,
  folder: string,
  pids: readonly number[],
  work: () => Promise<unknown>,
): Promise<PerfSums> {
  const file = join(folder, 'perf.data')
  const perf = processes.start({
    name: 'perf',
    command: ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', '997', '-p', pids.join(','), '-o', file],
  })
  await work()
  process.kill(perf.pid, 'SIGINT')
  await perf.ended
  return {
    places: sharesBy(file, 'dso', placeOf).slice(0, 8),
    symbols: sharesBy(file, 'dso,symbol', symbolOf).slice(0, 40),
  }
}

/** Where V8 put the names for perf, it leaves them: also of threads that begin late. To be called when the processes are gone. */
export function removeNames(pids: readonly number[]): void {
  for (const pid of pids) rmSync(`/tmp/perf-${pid}.map`, { force: true })
}

function sharesBy(file: string, keys: string, nameOf: (fields: readonly string[]) => string): Share[] {
  const { stdout } = spawnSync('perf', ['report', '-i', file, '--stdio', '-q', '--sort', keys, '-t', '\t'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  })
  return readShares(stdout, nameOf)
}

/** Reads lines of `percent<TAB>field<TAB>field`; lines that come to the same name are added up. */
export function readShares(report: string, nameOf: (fields: readonly string[]) => string): Share[] {
  const parts = new Map<string, number>()
  for (const line of report.split('\n')) {
    const [percent = '', ...fields] = line.split('\t').map((field) => field.trim())
    const part = /^(\d+(?:\.\d+)?)%$/.exec(percent)?.[1]
    if (part === undefined) continue
    const name = nameOf(fields)
    parts.set(name, (parts.get(name) ?? 0) + Number(part) / 100)
  }
  return [...parts].map(([name, part]) => ({ name, part: round(part, 4) })).sort((a, b) => b.part - a.part)
}

export function placeOf([dso = '']: readonly string[]): string {
  if (dso.startsWith('[kernel') || dso.startsWith('[guest') || dso.endsWith('.ko')) return 'kernel'
  if (dso.startsWith('[JIT]') || /^perf-\d+\.map$/.test(dso) || dso.startsWith('//anon')) {
    return 'compiled JavaScript'
  }
  if (dso === 'node') return 'node (C++, V8 built-ins, garbage collection, OpenSSL)'
  return dso
}

function symbolOf([dso = '', symbol = '']: readonly string[]): string {
  return `${symbol.replace(/^\[[.kgu]\]\s*/, '')} (${placeOf([dso]).split(' (')[0]})`
}
