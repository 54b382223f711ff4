/** Walks `checkpoints.log` beside the records: each line in its form, in order, chained to the one before, signed. */
import type { KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { checkpointLineHash, isSignedBy, readCheckpoint, type Checkpoint } from '../format/checkpoint.ts'
import { readLines, type Line } from '../format/lines.ts'
import { checkpointsName } from '../format/segments.ts'
import type { Fault } from './report.ts'

export type PublicKeys = ReadonlyMap<string, KeyObject>

export class CheckpointCursor {
  readonly #keys: PublicKeys | undefined
  readonly #lines: AsyncGenerator<Line>
  #current: Checkpoint | undefined
  #previous: string | undefined
  #count = 0
  /** What the first line has as `previous`: not the genesis when older ones were trimmed. */
  #beginning: string | undefined

  private constructor(lines: AsyncGenerator<Line>, keys: PublicKeys | undefined) {
    this.#lines = lines
    this.#keys = keys
  }

  /**
   * Takes the file as it is now: what a running gateway adds meanwhile is left out, so that every checkpoint that is seen
   * names a record that was on disk before.
   */
  static async open(directory: string, keys: PublicKeys | undefined): Promise<CheckpointCursor> {
    const path = join(directory, checkpointsName)
    try {
      return new CheckpointCursor(oneByOne(readLines(path, 0, (await stat(path)).size)), keys)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return new CheckpointCursor(oneByOne(nothing()), keys)
    }
  }

  get current(): Checkpoint | undefined {
    return this.#current
  }

  get count(): number {
    return this.#count
  }

  get beginning(): string | undefined {
    return this.#beginning
  }

  /** Moves to the next checkpoint. @returns what is wrong with it */
  async advance(): Promise<Fault | undefined> {
    const { value } = await this.#lines.next()
    const line = value as Line | undefined
    const before = this.#current
    this.#current = undefined
    // A crash, or a writer at work: an unfinished line signs nothing yet.
    if (line === undefined || !line.isComplete) return undefined
    this.#count++
    const text = line.bytes.toString('latin1')
    const checkpoint = readCheckpoint(text)
    const fault = this.#judge(checkpoint, before)
    if (fault !== undefined) return fault
    this.#current = checkpoint
    this.#beginning ??= checkpoint?.previous
    this.#previous = checkpointLineHash(text)
    return undefined
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined)
  }

  #judge(checkpoint: Checkpoint | undefined, before: Checkpoint | undefined): Fault | undefined {
    const place = { segment: checkpointsName, line: this.#count }
    const bad = (message: string): Fault => {
      return { problem: 'bad_checkpoint', seq: checkpoint?.seq ?? (before?.seq ?? 0) + 1, message, ...place }
    }
    if (checkpoint === undefined) return bad('a line is not a checkpoint')
    if (this.#keys !== undefined && !this.#keys.has(checkpoint.key)) {
      return bad(`the checkpoint of record ${checkpoint.seq} is signed by another key (${checkpoint.key})`)
    }
    if (this.#keys !== undefined && !isSignedBy(checkpoint, this.#keys)) {
      return bad(`the signature of the checkpoint of record ${checkpoint.seq} does not hold`)
    }
    if (this.#previous !== undefined && checkpoint.previous !== this.#previous) {
      return bad(`checkpoints before the one of record ${checkpoint.seq} are missing or changed`)
    }
    if (before !== undefined && checkpoint.seq <= before.seq) return bad('checkpoints are out of order')
    return undefined
  }
}

async function* oneByOne(batches: AsyncGenerator<Line[]>): AsyncGenerator<Line> {
  for await (const lines of batches) yield* lines
}

async function* nothing(): AsyncGenerator<Line[]> {}
