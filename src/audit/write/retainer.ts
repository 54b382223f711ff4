/** Drops old segments: first the record of what will go, then the signature over it, then the files. */
import type { AuditEntry } from '../../ports/audit-log.ts'
import type { OnAlarm } from '../alarm.ts'
import { describeFailure } from '../errors.ts'
import { ownEvent, ownReasons } from '../format/own-events.ts'
import type { Journal } from './journal.ts'
import { isUnderPressure, planRetention, type RetentionPlan, type RetentionSettings } from './retention.ts'

export class Retainer {
  readonly #journal: Journal
  readonly #settings: RetentionSettings
  readonly #onAlarm: OnAlarm
  #isUnderPressure = false

  constructor(journal: Journal, settings: RetentionSettings, onAlarm: OnAlarm) {
    this.#journal = journal
    this.#settings = settings
    this.#onAlarm = onAlarm
  }

  get isUnderPressure(): boolean {
    return this.#isUnderPressure
  }

  /**
   * Must have the files for itself. `append` writes the log's own event durably.
   * @throws Error when the record of it cannot be written: the log itself fails then
   */
  async retain(now: number, append: (entry: AuditEntry) => Promise<void>): Promise<void> {
    try {
      await this.#judgePressure(now)
      for (let plan = await this.#plan(now); plan !== undefined; plan = await this.#plan(now)) {
        await this.#carryOut(plan, now, append)
      }
    } catch (error) {
      if (error instanceof RetentionError) this.#onAlarm('retention_failed', error.message)
      else throw error
    }
  }

  async #carryOut(
    { facts, trim }: RetentionPlan,
    now: number,
    append: (entry: AuditEntry) => Promise<void>,
  ): Promise<void> {
    await append(ownEvent(now, ownReasons.retain, facts))
    // Signed before anything goes: a missing beginning without a signed record of it is tampering.
    await this.#journal.sign(now)
    await asRetention(async () => {
      await this.#journal.drop(facts.segments.length)
      if (trim !== undefined) await this.#journal.checkpoints.trim(trim)
    })
  }

  async #plan(now: number): Promise<RetentionPlan | undefined> {
    return await asRetention(() => planRetention(this.#journal, this.#settings, now))
  }

  async #judgePressure(now: number): Promise<void> {
    const is = await asRetention(() => isUnderPressure(this.#journal, this.#settings, now))
    if (is && !this.#isUnderPressure) {
      this.#onAlarm('retention_pressure', `${this.#journal.bytes} of ${this.#settings.size} bytes are used`)
    }
    this.#isUnderPressure = is
  }
}

/** Old segments could not be read or deleted. New events are written all the same. */
class RetentionError extends Error {}

async function asRetention<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw new RetentionError(describeFailure(error).message)
  }
}
