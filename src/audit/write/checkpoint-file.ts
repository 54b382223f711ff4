/** `checkpoints.log`: appends signed checkpoints, and lets go of those of records that retention dropped. */
import type { KeyObject } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { genesis, type ChainEnd } from '../format/chain.ts'
import { checkpointLineHash, signCheckpoint, type Checkpoint } from '../format/checkpoint.ts'
import { AppendFile, syncDirectory } from './append-file.ts'
import { findCheckpointAfter } from './find-checkpoint.ts'

/** Trimming a small file is not worth its copy. Bytes. */
const smallestTrim = 16 * 1024

export interface CheckpointSigner {
  readonly id: string
  readonly privateKey: KeyObject
}

/** What a trim would let go: everything before `offset`. */
export interface Trim {
  readonly offset: number
  /** Of the last line that goes. */
  readonly seq: number
  readonly lineHash: string
}

export class CheckpointFile {
  readonly #path: string
  #file: AppendFile
  readonly #signer: CheckpointSigner
  /** SHA-256 of the last line. */
  #previous: string
  #last: Checkpoint | undefined

  private constructor(
    path: string,
    file: AppendFile,
    signer: CheckpointSigner,
    last: LastCheckpoint | undefined,
  ) {
    this.#path = path
    this.#file = file
    this.#signer = signer
    this.#previous = last === undefined ? genesis : checkpointLineHash(last.line)
    this.#last = last?.checkpoint
  }

  static async open(
    path: string,
    signer: CheckpointSigner,
    found: FoundCheckpoints,
  ): Promise<CheckpointFile> {
    await rm(`${path}.new`, { force: true })
    return new CheckpointFile(path, await AppendFile.open(path, found.size), signer, found.last)
  }

  get size(): number {
    return this.#file.size
  }

  get last(): Checkpoint | undefined {
    return this.#last
  }

  /** Signs the end of the log, durably. The records up to it must be on disk already. */
  async sign(end: ChainEnd, time: string): Promise<Checkpoint> {
    const unsigned = { seq: end.seq, hash: end.hash, time, key: this.#signer.id, previous: this.#previous }
    const line = signCheckpoint(unsigned, this.#signer.privateKey)
    const before = this.#file.size
    await this.#file.append(Buffer.from(`${line}\n`))
    try {
      await this.#file.sync()
    } catch (error) {
      await this.#file.rollback(before).catch(() => {})
      throw error
    }
    this.#previous = checkpointLineHash(line)
    this.#last = { ...unsigned, signature: line.slice(-90, -2) }
    return this.#last
  }

  /** @returns what may go when no record up to `seq` is kept; undefined while it is less than half of the file */
  async planTrim(seq: number): Promise<Trim | undefined> {
    if (this.#file.size < smallestTrim) return undefined
    const trim = await findCheckpointAfter(this.#path, this.#file.size, seq)
    return trim !== undefined && trim.offset > this.#file.size / 2 ? trim : undefined
  }

  /** Copies what stays, and swaps the files in one step. No checkpoint may be signed meanwhile. */
  async trim({ offset }: Trim): Promise<void> {
    const copy = `${this.#path}.new`
    await rm(copy, { force: true })
    await pipeline(
      createReadStream(this.#path, { start: offset, end: this.#file.size - 1 }),
      createWriteStream(copy, { mode: 0o600, flush: true }),
    )
    const kept = await AppendFile.open(copy)
    try {
      await rename(copy, this.#path)
    } catch (error) {
      await kept.close()
      throw error
    }
    const replaced = this.#file
    this.#file = kept
    await replaced.close()
    await syncDirectory(dirname(this.#path))
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

export interface LastCheckpoint {
  readonly checkpoint: Checkpoint
  readonly line: string
}

/** What is there when the log is opened. */
export interface FoundCheckpoints {
  /** Bytes up to the end of the last whole line. */
  readonly size: number
  readonly last?: LastCheckpoint
}
