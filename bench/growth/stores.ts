// Stores of many sizes: each is filled once, and every gateway of that size gets a copy.
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { indent } from '../processes.ts'
import type { Processes } from '../processes.ts'
import { progress } from '../progress.ts'

export type Filling = 'keys' | 'revocations'

/** Filled stores. */
export interface Stores {
  /** Puts a copy into a gateway's folder. @returns keys that are good in it */
  furnish(filling: Filling, count: number, folder: string): Promise<readonly string[]>
}

/** @param folder where the originals stay until the end of the run */
export function createStores(processes: Processes, folder: string): Stores {
  const filled = new Map<string, Promise<string>>()
  return {
    async furnish(filling, count, target) {
      const key = `${filling}-${count}`
      const original = filled.get(key) ?? fill(processes, join(folder, key), filling, count)
      filled.set(key, original)
      const stem = await original
      await copyFile(`${stem}.db`, join(target, 'portcullis.db'))
      return filling === 'keys' ? (JSON.parse(await readFile(`${stem}.json`, 'utf8')) as string[]) : []
    },
  }
}

async function fill(processes: Processes, stem: string, filling: Filling, count: number): Promise<string> {
  progress(`filling a store with ${count.toLocaleString('en')} ${filling}`)
  const script = join(import.meta.dirname, 'fill.ts')
  const started = processes.start({
    name: `fill with ${filling}`,
    command: [process.execPath, script, filling, String(count), `${stem}.db`, `${stem}.json`],
  })
  const code = await started.ended
  if (code !== 0) throw new Error(`a store could not be filled:\n${indent(started.output())}`)
  return stem
}
