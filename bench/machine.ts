// What a run ran on: numbers mean nothing without it.
import { cpus, release, totalmem } from 'node:os'

/** Read off the machine. */
export function describeMachine(): {
  readonly processor: string
  readonly kernel: string
  readonly memoryGiB: number
} {
  const cores = cpus()
  return {
    processor: `${cores.length} cores, ${cores[0]?.model.trim() ?? 'unknown'}`,
    kernel: `Linux ${release()}`,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
  }
}
