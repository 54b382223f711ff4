/**
 * Events that wait to be written, and the callers that wait for them. `relaxed`: callers wait only while the queue is
 * full. `strict`: every caller waits for the batch that holds its event.
 */
import type { AuditEntry } from '../../ports/audit-log.ts'
import type { PendingEvent } from '../format/event.ts'

export interface WaitingEvent extends PendingEvent {
  /** When it was taken. Milliseconds since the epoch. */
  readonly at: number
  /** A caller waits for it, and is told when it cannot be written. */
  readonly isAwaited: boolean
}

/** One promise for all callers whose events go into the same batch. */
interface Gate {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export interface Batch {
  readonly events: readonly WaitingEvent[]
  readonly gate: Gate | undefined
}

export class Intake {
  readonly #isStrict: boolean
  readonly #bound: number
  readonly #batchEvents: number
  #queue: WaitingEvent[] = []
  /** The gate of the batch that gathers now. */
  #gate: Gate | undefined
  #overflow: { readonly event: WaitingEvent; readonly gate: Gate }[] = []

  constructor(options: { readonly isStrict: boolean; readonly bound: number; readonly batchEvents: number }) {
    this.#isStrict = options.isStrict
    this.#bound = options.bound
    this.#batchEvents = options.batchEvents
  }

  get length(): number {
    return this.#queue.length + this.#overflow.length
  }

  /** @returns what `AuditLog.record` returns */
  add(entry: AuditEntry, configuration: string, at: number): undefined | Promise<void> {
    if (this.#isStrict) {
      this.#queue.push({ entry, configuration, at, isAwaited: true })
      return (this.#gate ??= newGate()).promise
    }
    const waiting = { entry, configuration, at, isAwaited: false }
    if (this.#queue.length < this.#bound) {
      this.#queue.push(waiting)
      return undefined
    }
    const gate = newGate()
    this.#overflow.push({ event: waiting, gate })
    return gate.promise
  }

  /** For events that no caller waits for: never refused, whatever the queue holds. */
  addUnasked(event: PendingEvent, at: number): void {
    this.#queue.push({ ...event, at, isAwaited: false })
  }

  /** Takes what goes next. Exactly one of `written` and `failed` must follow. */
  take(): Batch {
    if (!this.#isStrict) return { events: this.#queue.slice(0, this.#batchEvents), gate: undefined }
    const batch = { events: this.#queue, gate: this.#gate }
    this.#queue = []
    this.#gate = undefined
    return batch
  }

  written({ events, gate }: Batch): void {
    gate?.resolve()
    if (this.#isStrict) return
    if (events.length === this.#queue.length) this.#queue = []
    else this.#queue.splice(0, events.length)
    for (const { event, gate } of this.#overflow.splice(0, this.#bound - this.#queue.length)) {
      this.#queue.push(event)
      gate.resolve()
    }
  }

  /**
   * Turns away every caller that still waits, with its event: it is told, so nothing is lost silently. What was taken
   * before without a wait stays for the next try.
   * @returns how many were turned away
   */
  failed({ events, gate }: Batch, error: Error): number {
    const all = this.#isStrict ? [...events, ...this.#queue] : this.#queue
    const kept = all.filter((event) => !event.isAwaited)
    const turnedAway = all.length - kept.length + this.#overflow.length
    this.#queue = kept
    gate?.reject(error)
    this.#gate?.reject(error)
    for (const { gate } of this.#overflow) gate.reject(error)
    this.#gate = undefined
    this.#overflow = []
    return turnedAway
  }
}

function newGate(): Gate {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A caller that does not wait (its request is refused anyway) must not end the process when the disk is full.
  promise.catch(() => {})
  return { promise, resolve, reject }
}
