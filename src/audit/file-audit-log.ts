/** The audit log of a running gateway: takes events, writes them in batches, signs, retains, raises alarms. */
import type { AuditEntry, AuditLog, AuditOutcome, AuditType } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { OnAlarm } from './alarm.ts'
import { AuditUnavailableError, describeFailure } from './errors.ts'
import type { Checkpoint } from './format/checkpoint.ts'
import type { PendingEvent } from './format/event.ts'
import { ownEvent, ownReasons } from './format/own-events.ts'
import type { AuditKey } from './key.ts'
import type { DirectoryLock } from './lock.ts'
import { Coalescer, windows } from './write/coalesce.ts'
import { Intake, type Batch } from './write/intake.ts'
import type { Journal } from './write/journal.ts'
import { Retainer } from './write/retainer.ts'
import type { RetentionSettings } from './write/retention.ts'

/** Milliseconds. A relaxed event waits at most `write`, then for the write itself: together well within 100. */
const delays = { write: 25, checkpoint: 1000, retry: 500, retention: 60_000 } as const

export interface FileAuditLogParts {
  readonly mode: 'relaxed' | 'strict'
  readonly retain: RetentionSettings
  readonly directory: string
  readonly clock: Clock
  readonly configurationHash: () => string
  readonly onAlarm: OnAlarm
  readonly onLag?: (seconds: number) => void
  readonly onEvent?: (type: AuditType, outcome: AuditOutcome) => void
  /** Each takes the text of whole lines, after they are written. */
  readonly sinks: readonly ((text: string) => void)[]
  readonly journal: Journal
  readonly key: AuditKey
  readonly lock: DirectoryLock
  readonly queueBound: number
  readonly batchEvents: number
}

export interface AuditStats {
  /** Taken and not written yet. */
  readonly queued: number
  /** Refusals that are counted and not written yet. */
  readonly coalescing: number
  readonly lastSeq: number
  readonly signedSeq: number
  readonly bytes: number
  readonly segments: number
  readonly isFailing: boolean
  /** Refusals coalesce by the minute, because `retain.size` is met before `retain.age`. */
  readonly isUnderPressure: boolean
}

interface Failure {
  readonly error: AuditUnavailableError
  /** What `record` returns meanwhile. */
  readonly rejection: Promise<never>
  readonly since: number
  /** Events that were refused. */
  refused: number
}

export class FileAuditLog implements AuditLog {
  readonly directory: string
  /** The audit key's public half, SubjectPublicKeyInfo in PEM. */
  readonly publicKeyPem: string
  readonly #parts: FileAuditLogParts
  readonly #intake: Intake
  readonly #coalescer: Coalescer
  readonly #retainer: Retainer
  readonly #isStrict: boolean
  #failure: Failure | undefined
  #isPumping = false
  #closed: Promise<void> | undefined
  /** All work on the files, one after the other. */
  #work: Promise<unknown> = Promise.resolve()
  #soon: NodeJS.Immediate | undefined
  readonly #timers: Timers = {}

  constructor(parts: FileAuditLogParts) {
    this.#parts = parts
    this.directory = parts.directory
    this.publicKeyPem = parts.key.publicKeyPem
    this.#isStrict = parts.mode === 'strict'
    this.#intake = new Intake({
      isStrict: this.#isStrict,
      bound: parts.queueBound,
      batchEvents: parts.batchEvents,
    })
    this.#coalescer = new Coalescer((refusals) => {
      this.#intake.addUnasked(refusals, this.#now())
      this.#schedule()
    })
    this.#retainer = new Retainer(parts.journal, parts.retain, parts.onAlarm)
    this.#timers.retention = setInterval(() => void this.#retain(), delays.retention).unref()
  }

  record(entry: AuditEntry): undefined | Promise<void> {
    if (this.#closed !== undefined) return turnAway(new AuditUnavailableError('the audit log is closed'))
    if (this.#failure !== undefined) {
      this.#failure.refused++
      return this.#failure.rejection
    }
    const now = this.#now()
    const configuration = this.#parts.configurationHash()
    if (entry.outcome === 'refuse' && this.#coalescer.absorb(entry, configuration, now)) {
      this.#timers.coalesce ??= this.#afterWindow(now)
      return undefined
    }
    const answer = this.#intake.add(entry, configuration, now)
    this.#schedule()
    return answer
  }

  fingerprint(credential: string): string {
    return this.#parts.key.fingerprint(credential)
  }

  /** @returns the last checkpoint: kept elsewhere, it later proves that nothing before it was cut */
  head(): Checkpoint | undefined {
    return this.#parts.journal.lastCheckpoint
  }

  stats(): AuditStats {
    const { journal } = this.#parts
    return {
      queued: this.#intake.length,
      coalescing: this.#coalescer.waiting,
      lastSeq: journal.end.seq,
      signedSeq: journal.lastCheckpoint?.seq ?? 0,
      bytes: journal.bytes,
      segments: journal.older.length + (journal.current === undefined ? 0 : 1),
      isFailing: this.#failure !== undefined,
      isUnderPressure: this.#retainer.isUnderPressure,
    }
  }

  /**
   * Writes and signs all that was recorded so far.
   * @throws AuditUnavailableError while the log cannot be written
   */
  async flush(): Promise<void> {
    this.#coalescer.flush()
    while (this.#intake.length > 0 && this.#failure === undefined)
      await this.#exclusively(() => this.#writeBatch())
    if (this.#failure === undefined) await this.#exclusively(() => this.#sign())
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /**
   * Writes all that was recorded, signs the last checkpoint and lets the directory go. Further events are refused.
   * @throws AuditUnavailableError when it could not be written; what was lost is told in an alarm
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#shutDown())
  }

  /** Applies retention now, as it does by itself after each segment and each minute. */
  async retain(): Promise<void> {
    await this.#retain()
  }

  async #shutDown(): Promise<void> {
    const { journal, lock, onAlarm } = this.#parts
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#coalescer.flush()
    if (this.#failure !== undefined) await this.#exclusively(() => this.#retry())
    while (this.#intake.length > 0 && this.#failure === undefined)
      await this.#exclusively(() => this.#writeBatch())
    if (this.#failure === undefined) await this.#exclusively(() => this.#stop())
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    const failure = this.#failure
    if (failure !== undefined && this.#intake.length > 0) {
      onAlarm('events_lost', `${this.#intake.length} events could not be written: ${failure.error.message}`)
    }
    await this.#work
    await journal.close()
    lock.release()
    if (failure !== undefined) throw failure.error
  }

  #now(): number {
    return this.#parts.clock.now()
  }

  /** Starts the writer: at once when callers wait or a batch is full, else within the relaxed delay. */
  #schedule(): void {
    if (this.#isPumping || this.#failure !== undefined) return
    if (this.#isStrict || this.#intake.length >= this.#parts.batchEvents) {
      // Not now: the requests of this turn of the loop go into one batch, and none of them waits for its serialisation.
      this.#soon ??= setImmediate(() => void this.#pump())
    } else {
      this.#timers.write ??= setTimeout(() => void this.#pump(), delays.write)
    }
  }

  async #pump(): Promise<void> {
    clearImmediate(this.#soon)
    this.#soon = undefined
    this.#clear('write')
    if (this.#isPumping) return
    this.#isPumping = true
    const enough = this.#isStrict ? 1 : this.#parts.batchEvents
    do await this.#exclusively(() => this.#writeBatch())
    while (this.#failure === undefined && this.#intake.length >= enough)
    this.#isPumping = false
    if (this.#intake.length > 0) this.#schedule()
  }

  /** Writes one batch. Fails into `#failure`, never by throwing. */
  async #writeBatch(): Promise<void> {
    if (this.#failure !== undefined || this.#intake.length === 0) return
    const batch = this.#intake.take()
    const segments = this.#parts.journal.older.length
    try {
      this.#copy(await this.#parts.journal.append(batch.events, this.#now(), this.#isStrict))
    } catch (error) {
      this.#fail(error, batch)
      return
    }
    this.#settle(batch)
    this.#timers.checkpoint ??= setTimeout(
      () => void this.#exclusively(() => this.#sign()),
      delays.checkpoint,
    )
    if (this.#parts.journal.older.length > segments) void this.#retain()
  }

  #settle(batch: Batch): void {
    const { onEvent, onLag } = this.#parts
    this.#intake.written(batch)
    const oldest = batch.events[0]
    if (onLag !== undefined && oldest !== undefined) onLag(Math.max(0, this.#now() - oldest.at) / 1000)
    if (onEvent !== undefined) for (const { entry } of batch.events) onEvent(entry.type, entry.outcome)
  }

  async #sign(): Promise<void> {
    this.#clear('checkpoint')
    if (this.#failure !== undefined) return
    try {
      await this.#parts.journal.sign(this.#now())
    } catch (error) {
      this.#fail(error, noBatch)
    }
  }

  async #stop(): Promise<void> {
    try {
      await this.#appendOwn(ownEvent(this.#now(), ownReasons.stop))
    } catch (error) {
      this.#fail(error, noBatch)
    }
    await this.#sign()
  }

  #fail(error: unknown, batch: Batch): void {
    const { message, code } = describeFailure(error)
    const unavailable = new AuditUnavailableError(`the audit log cannot be written: ${message}`, code)
    const turnedAway = this.#intake.failed(batch, unavailable)
    this.#failure ??= { error: unavailable, rejection: turnAway(unavailable), since: this.#now(), refused: 0 }
    this.#failure.refused += turnedAway
    this.#parts.onAlarm('write_failed', unavailable.message)
    this.#retryLater()
  }

  #retryLater(): void {
    this.#clear('retry')
    this.#timers.retry = setTimeout(() => void this.#exclusively(() => this.#retry()), delays.retry)
  }

  /** Tries what waits, after a note of what happened. The chain goes on from its last whole record. */
  async #retry(): Promise<void> {
    const failure = this.#failure
    if (failure === undefined) return
    const { journal, onAlarm, onLag } = this.#parts
    const now = this.#now()
    const batch = this.#intake.take()
    const { since, refused, error } = failure
    const facts = { since: new Date(since).toISOString(), refused, cause: error.code ?? 'unknown' }
    try {
      const note = this.#own(ownEvent(now, ownReasons.interrupted, facts))
      this.#copy(await journal.append([note, ...batch.events], now, true))
    } catch {
      failure.refused += this.#intake.failed(batch, error)
      onLag?.((now - since) / 1000)
      this.#retryLater()
      return
    }
    this.#settle(batch)
    this.#failure = undefined
    await this.#sign()
    // `#sign` may have failed anew, with an alarm of its own.
    if (this.#failure === undefined) {
      onAlarm('write_recovered', `${refused} events were refused since ${facts.since}`)
      if (this.#intake.length > 0) this.#schedule()
    }
  }

  async #retain(): Promise<void> {
    await this.#exclusively(async () => {
      if (this.#failure !== undefined) return
      try {
        await this.#retainer.retain(this.#now(), (entry) => this.#appendOwn(entry))
      } catch (error) {
        this.#fail(error, noBatch)
      }
    })
    this.#coalescer.window = this.#retainer.isUnderPressure ? windows.minute : windows.second
  }

  async #appendOwn(entry: AuditEntry): Promise<void> {
    this.#copy(await this.#parts.journal.append([this.#own(entry)], this.#now(), true))
    this.#parts.onEvent?.(entry.type, entry.outcome)
  }

  #own(entry: AuditEntry): PendingEvent {
    return { entry, configuration: this.#parts.configurationHash() }
  }

  #copy(lines: Buffer): void {
    const { sinks } = this.#parts
    if (sinks.length === 0) return
    const text = lines.toString()
    for (const sink of sinks) sink(text)
  }

  #afterWindow(now: number): NodeJS.Timeout {
    const { window } = this.#coalescer
    return setTimeout(
      () => {
        this.#clear('coalesce')
        this.#coalescer.flush()
      },
      window - (now % window),
    )
  }

  #clear(timer: keyof Timers): void {
    clearTimeout(this.#timers[timer])
    delete this.#timers[timer]
  }

  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#work.then(task)
    this.#work = done.catch(() => {})
    return done
  }
}

type Timers = Partial<Record<keyof typeof delays | 'coalesce', NodeJS.Timeout>>

const noBatch: Batch = { events: [], gate: undefined }

/** A rejection that ends no process when its caller does not look. */
function turnAway(reason: Error): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  reject(reason)
  return promise
}
