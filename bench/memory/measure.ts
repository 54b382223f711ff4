// What an idle connection keeps in memory: a gateway that holds thousands of silent clients, beside itself without them. It
// did no other work before: what a busy hour leaves in the heap would hide what connections take of it.
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { residentBytes } from '../cpu.ts'
import type { MissingRow } from '../measure.ts'
import { indent, pause } from '../processes.ts'
import type { Running } from '../processes.ts'
import type { Row, RowStage, StartedRow } from '../rows.ts'
import { loadCore, startRows } from '../stage.ts'
import { round } from '../statistics.ts'
import { requestPath } from '../targets/target.ts'

/** Resident memory of all processes of a target. */
export interface MemoryRow {
  readonly name: string
  readonly connections: number
  /** Just started, with no connection open. */
  readonly idleMiB: number
  /** With all connections open and silent. */
  readonly heldMiB: number
  /** The difference by connections. */
  readonly kibPerConnection: number
  /** Of the last nine tenths of the connections alone: with the first ones the program itself grows. */
  readonly kibPerFurtherConnection: number
}

/** How long to wait, in seconds. */
export interface MemorySetting {
  readonly connections: number
  /** Until memory is quiet: V8 tidies up some seconds after the last request. */
  readonly rest: number
  readonly onRun: (name: string) => void
}

/** As many as this machine lets one process hold, with descriptors to spare on the gateway for the other side. */
export function mostConnections(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? 10_000 : Math.min(10_000, Math.floor((Number(limit) - 1000) / 2))
}

/** One row after the other, each with a process of its own that nobody used before. */
export async function measureMemory(
  stage: RowStage,
  rows: readonly Row[],
  setting: MemorySetting,
): Promise<{ readonly rows: readonly MemoryRow[]; readonly failed: readonly MissingRow[] }> {
  const folder = join(stage.folder, 'memory')
  await mkdir(folder)
  const measured: MemoryRow[] = []
  const failed: MissingRow[] = []
  for (const row of rows) {
    setting.onRun(row.name)
    // What cannot be had was said before, when the other numbers were measured.
    const { rows: startedRows, failed: notStarted } = await startRows({ ...stage, folder }, [row], {
      isQuiet: true,
    })
    failed.push(...notStarted)
    const [started] = startedRows
    if (started === undefined) continue
    try {
      measured.push(await measureOne({ ...stage, folder }, started, setting))
    } catch (error) {
      const printed = indent(started.target.process.output())
      const reason = `${(error as Error).message}\nIt printed:\n${printed}`
      failed.push({ name: `${row.name} (memory)`, reason })
    }
    await started.target.process.stop()
  }
  return { rows: measured, failed }
}

async function measureOne(
  stage: RowStage,
  row: StartedRow & { readonly name: string },
  { connections, rest }: MemorySetting,
): Promise<MemoryRow> {
  const { name, target, callers = [{}] } = row
  if ('make' in callers) throw new Error('callers whose proofs are good once cannot hold connections')
  const url = target.url + requestPath
  const read = async (): Promise<number> => {
    await pause(rest * 1000)
    return residentBytes(target.process.pid) / 1024
  }

  const idle = await read()
  const file = join(stage.folder, `holder-${name.replaceAll(/\W+/g, '-')}.json`)
  await writeFile(file, JSON.stringify({ url, callers }), { mode: 0o600 })
  const holder = stage.processes.start({
    name: `connections to ${name}`,
    core: loadCore,
    command: [process.execPath, join(import.meta.dirname, 'holder.ts'), file],
    hasInput: true,
  })
  const few = Math.round(connections / 10)
  await holdUntil(holder, few)
  const withFew = await read()
  await holdUntil(holder, connections)
  const held = await read()
  // A connection that the gateway closed meanwhile would be memory that nobody pays for.
  const code = await Promise.race([holder.ended.then(() => 'ended'), pause(10)])
  if (code === 'ended') throw new Error(`connections were not kept:\n${indent(holder.output())}`)
  await holder.stop()
  return {
    name,
    connections,
    idleMiB: round(idle / 1024, 1),
    heldMiB: round(held / 1024, 1),
    kibPerConnection: round((held - idle) / connections, 2),
    kibPerFurtherConnection: round((held - withFew) / (connections - few), 2),
  }
}

async function holdUntil(holder: Running, count: number): Promise<void> {
  holder.write(`${count}\n`)
  const deadline = Date.now() + 60_000
  while (!holder.output().includes(`HOLDING ${count}\n`)) {
    if (holder.output().includes('FAILED') || Date.now() > deadline) {
      throw new Error(`${count} connections could not be held:\n${indent(holder.output())}`)
    }
    await pause(50)
  }
}
