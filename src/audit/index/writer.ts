/**
 * Writes the index behind the log, from what is known of each event when its line is written: nothing is read again. What a
 * crash, or a gateway without an index, left out is made good at the next start; until then readers read those lines.
 */
import { rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { OnAlarm } from '../alarm.ts'
import { eventMillis, parseRecord, type PendingEvent } from '../format/event.ts'
import type { Segment } from '../format/segments.ts'
import { BlockBuilder } from './block.ts'
import { appendBlock, isWhole, readIndex, removeOrphans } from './files.ts'
import { blocksOf, rebuildSegment } from './rebuild.ts'

/** Milliseconds that closing waits for old segments: what is left is made at the next start. */
const patience = 10_000

/** A line of the segment that is written now. */
export interface IndexedLine {
  readonly event: PendingEvent
  /** What the line says, where that is not what the event says. */
  readonly said: string | undefined
  readonly hash: string
  /** Where it ends in the segment. */
  readonly to: number
}

export class IndexWriter {
  readonly #onAlarm: OnAlarm
  #segment: Segment | undefined
  #block = new BlockBuilder(0)
  /** Writes and removals, one after the other. */
  #work: Promise<unknown> = Promise.resolve()
  #isFailing = false
  #thread: Worker | undefined

  private constructor(onAlarm: OnAlarm) {
    this.#onAlarm = onAlarm
  }

  /** @param segments all of the log, oldest first; nobody may write to them meanwhile */
  static async open(directory: string, segments: readonly Segment[], onAlarm: OnAlarm): Promise<IndexWriter> {
    const writer = new IndexWriter(onAlarm)
    await writer.#attempt(async () => {
      await removeOrphans(directory, segments)
      const newest = segments.at(-1)
      if (newest !== undefined) await mend(newest)
      const lacking = segments.slice(0, -1).filter((segment) => !isWhole(segment))
      if (lacking.length > 0) writer.#thread = writer.#startThread(lacking)
    })
    return writer
  }

  /** From here on lines go into this segment, from this place on. */
  begin(segment: Segment, from: number): void {
    this.#endBlock()
    this.#segment = segment
    this.#block = new BlockBuilder(from)
  }

  add({ event, said, hash, to }: IndexedLine): void {
    const record = said === undefined ? undefined : parseRecord(said)
    if (record === undefined) this.#block.add(event.entry, eventMillis(event.entry.time), to, hash)
    else this.#block.add(record, Date.parse(record.time), to, hash)
    if (this.#block.isFull) this.#endBlock()
  }

  /** The segment is gone. */
  drop(segment: Segment): void {
    this.#soon(() => rm(segment.indexPath, { force: true }))
  }

  /** Writes what is gathered, and waits for the old segments, for ten seconds at most. */
  async close(): Promise<void> {
    this.#endBlock()
    await this.#work
    const thread = this.#thread
    if (thread === undefined) return
    thread.ref()
    const tooLate = setTimeout(() => void thread.terminate(), patience)
    await new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    clearTimeout(tooLate)
  }

  #endBlock(): void {
    const block = this.#block
    const segment = this.#segment
    if (segment === undefined || block.isEmpty) return
    this.#block = new BlockBuilder(block.to)
    const bytes = block.bytes()
    this.#soon(() => appendBlock(segment, bytes))
  }

  #soon(task: () => Promise<void>): void {
    this.#work = this.#work.then(() => this.#attempt(task))
  }

  /** An index that cannot be written costs those who search some reading, and nobody else anything. One alarm, until it can be again. */
  async #attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#onAlarm('index_failed', (error as Error).message)
      this.#isFailing = true
    }
  }

  #startThread(lacking: readonly Segment[]): Worker {
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const thread = new Worker(url, { workerData: lacking, name: 'audit-index' })
    thread.unref()
    thread.on('error', (error: Error) => this.#onAlarm('index_failed', error.message))
    thread.on('exit', () => (this.#thread = undefined))
    return thread
  }
}

/** The newest segment: the lines of the last run are not indexed yet after a crash, and what was may not stand there any more. */
async function mend(segment: Segment): Promise<void> {
  const index = await readIndex(segment)
  if (index === undefined || !index.isSound || index.isTorn) {
    rebuildSegment(segment)
    return
  }
  let end = 0
  for (const { from, to } of index.blocks) {
    if (from > end) {
      rebuildSegment(segment)
      return
    }
    end = Math.max(end, to)
  }
  for (const block of blocksOf(segment, end)) await appendBlock(segment, block.bytes())
}
