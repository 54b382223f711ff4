// The frame of a run: a temporary folder and started processes that are gone at the end, however it ends.
import { mkdtemp, rm } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProcesses } from './processes.ts'
import type { Processes } from './processes.ts'

/**
 * Runs `work`, then ends every process that it started and removes its folder. An error becomes one message and exit
 * code 1.
 */
export async function inSession(
  work: (folder: string, processes: Processes) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-bench-'))
  const processes = createProcesses()
  const leave = (code: number) => (): void => {
    processes.killAll()
    rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  }
  process.once('SIGINT', leave(130))
  process.once('SIGTERM', leave(143))
  try {
    await work(folder, processes)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  } finally {
    await processes.stopAll()
    await rm(folder, { recursive: true, force: true })
  }
}
