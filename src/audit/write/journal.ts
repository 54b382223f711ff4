/** The files of one log, held open by their one writer: the chain's end, the current segment, the checkpoints. */
import { unlink } from 'node:fs/promises'
import type { ChainEnd } from '../format/chain.ts'
import { eventMembers, eventTime, type PendingEvent } from '../format/event.ts'
import { LineWriter } from '../format/line-writer.ts'
import { readFirstLink } from '../format/lines.ts'
import { segmentAt, type Segment } from '../format/segments.ts'
import type { Checkpoint } from '../format/checkpoint.ts'
import type { IndexWriter } from '../index/writer.ts'
import { AppendFile, syncDirectory } from './append-file.ts'
import type { CheckpointFile } from './checkpoint-file.ts'
import type { KnownSegment } from './recover.ts'

export interface JournalSettings {
  readonly directory: string
  readonly instance: string
  /** A segment that reached this size takes no further batch. Bytes. */
  readonly segmentBytes: number
  /** Nor does one whose first record is older than this. Milliseconds. */
  readonly segmentAge: number
}

export interface JournalParts {
  readonly checkpoints: CheckpointFile
  /** Told of every line. */
  readonly index: IndexWriter | undefined
}

interface CurrentSegment {
  readonly file: AppendFile
  readonly segment: Segment
  /** When its first record was written. Milliseconds since the epoch. */
  readonly since: number
}

export class Journal {
  readonly #settings: JournalSettings
  readonly #checkpoints: CheckpointFile
  #older: KnownSegment[]
  #current: CurrentSegment | undefined
  #end: ChainEnd
  readonly #lines: LineWriter
  readonly #index: IndexWriter | undefined

  private constructor(
    settings: JournalSettings,
    parts: JournalParts,
    older: KnownSegment[],
    current: CurrentSegment | undefined,
    end: ChainEnd,
  ) {
    this.#settings = settings
    this.#checkpoints = parts.checkpoints
    this.#index = parts.index
    this.#older = older
    this.#current = current
    this.#end = end
    this.#lines = new LineWriter(end)
    if (current !== undefined) this.#index?.begin(current.segment, current.file.size)
  }

  static async open(
    settings: JournalSettings,
    parts: JournalParts,
    found: { readonly segments: readonly KnownSegment[]; readonly end: ChainEnd },
    now: number,
  ): Promise<Journal> {
    const last = found.segments.at(-1)
    const current = last === undefined ? undefined : await reopen(last, now)
    return new Journal(settings, parts, found.segments.slice(0, -1), current, found.end)
  }

  get end(): ChainEnd {
    return this.#end
  }

  get lastCheckpoint(): Checkpoint | undefined {
    return this.#checkpoints.last
  }

  get checkpoints(): CheckpointFile {
    return this.#checkpoints
  }

  /** All segments that are not written to any more, oldest first. */
  get older(): readonly KnownSegment[] {
    return this.#older
  }

  get current(): Segment | undefined {
    return this.#current?.segment
  }

  /** Of all segments and the checkpoints. */
  get bytes(): number {
    const older = this.#older.reduce((sum, segment) => sum + segment.size, 0)
    return older + (this.#current?.file.size ?? 0) + this.#checkpoints.size
  }

  /** True when a record came after the last checkpoint. */
  get hasUnsigned(): boolean {
    return this.#end.seq > (this.#checkpoints.last?.seq ?? 0)
  }

  /**
   * Writes events as the next records: all of them, or an error and none. `durable`: on disk when it resolves.
   * @returns the bytes that were written, good until the next call
   */
  async append(events: readonly PendingEvent[], now: number, durable: boolean): Promise<Buffer> {
    const { file } = await this.#segmentFor(now)
    const lines = this.#seal(events)
    const before = file.size
    await file.append(lines.bytes)
    if (durable) {
      try {
        await file.sync()
      } catch (error) {
        await file.rollback(before).catch(() => {})
        throw error
      }
    }
    this.#end = lines.end
    this.#tellIndex(events, before)
    return lines.bytes
  }

  /** Puts everything on disk, then signs it. */
  async sign(now: number): Promise<void> {
    if (!this.hasUnsigned) return
    await this.#current?.file.sync()
    await this.#checkpoints.sign(this.#end, new Date(now).toISOString())
  }

  /** Deletes the oldest segments. What they held must be recorded and signed before. */
  async drop(count: number): Promise<void> {
    for (const segment of this.#older.slice(0, count)) {
      await unlink(segment.path)
      this.#index?.drop(segment)
      this.#older = this.#older.slice(1)
    }
    await syncDirectory(this.#settings.directory)
  }

  async close(): Promise<void> {
    await this.#index?.close()
    await this.#current?.file.close()
    await this.#checkpoints.close()
  }

  #seal(events: readonly PendingEvent[]): LineWriter {
    const lines = this.#lines
    lines.begin(this.#end)
    for (const event of events) {
      const { text, isWhole } = eventMembers(event, this.#settings.instance)
      lines.add(eventTime(event.entry.time), text, isWhole)
    }
    return lines
  }

  /** Only of lines that were written: what was taken back is not there. */
  #tellIndex(events: readonly PendingEvent[], before: number): void {
    const index = this.#index
    if (index === undefined) return
    const { lines, bytes } = this.#lines
    for (const [at, { hash, end, isWhole }] of lines.entries()) {
      const said = isWhole ? undefined : bytes.toString('utf8', lines[at - 1]?.end ?? 0, end - 1)
      index.add({ event: events[at]!, said, hash, to: before + end })
    }
  }

  async #segmentFor(now: number): Promise<CurrentSegment> {
    const current = this.#current
    if (current !== undefined && !this.#isFull(current, now)) return current
    // What is left behind must be on disk before a checkpoint can name a record of the next file.
    await current?.file.sync()
    const segment = segmentAt(this.#settings.directory, this.#end.seq + 1)
    const file = await AppendFile.create(segment.path)
    const next = { file, segment, since: now }
    this.#current = next
    this.#index?.begin(segment, 0)
    if (current !== undefined) {
      this.#older = [...this.#older, { ...current.segment, size: current.file.size }]
      // Everything in it is on disk: a failure to close loses nothing.
      await current.file.close().catch(() => {})
    }
    return next
  }

  #isFull({ file, since }: CurrentSegment, now: number): boolean {
    const { segmentBytes, segmentAge } = this.#settings
    return file.size >= segmentBytes || (file.size > 0 && now - since >= segmentAge)
  }
}

async function reopen(segment: KnownSegment, now: number): Promise<CurrentSegment> {
  const first = await readFirstLink(segment.path)
  const since = Date.parse(first?.time ?? '')
  return {
    file: await AppendFile.open(segment.path, segment.size),
    segment,
    since: Number.isNaN(since) ? now : since,
  }
}
