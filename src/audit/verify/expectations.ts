/** What an untouched log also has, beyond chain and signatures: the records that its writer never leaves out. */
import { genesis, type Link } from '../format/chain.ts'
import { ownReasons, readOwnEvent, type RetainFacts } from '../format/own-events.ts'
import type { PlacedLine } from './records.ts'
import type { Fault } from './report.ts'

/**
 * A checkpoint is signed each second with events. Times of events are those of their decisions, and a machine may have
 * slept; beyond this span checkpoints were taken away. Milliseconds.
 */
const longestUnsigned = 60_000

export interface WalkedLog {
  readonly first: Link | undefined
  readonly last: Link | undefined
  readonly signed: number | undefined
  readonly checkpointsBeginning: string | undefined
}

export class Expectations {
  readonly #hasKeys: boolean
  /** A start's event, whose checkpoint must come before any other event. */
  #start: number | undefined
  #sawOther = false
  #unsigned: { readonly seq: number; readonly from: number; to: number } | undefined
  /** Signed or not, by the seq of the event. */
  readonly #retained: { readonly seq: number; readonly facts: RetainFacts }[] = []
  #first: Link | undefined

  constructor(hasKeys: boolean) {
    this.#hasKeys = hasKeys
  }

  take(line: PlacedLine, link: Link, signed: number | undefined): Fault | undefined {
    this.#first ??= link
    const own = readOwnEvent(line.bytes)
    if (own?.reason === ownReasons.start) {
      this.#start = link.seq
      return undefined
    }
    const start = this.#start
    this.#start = undefined
    this.#sawOther = true
    const time = Date.parse(link.time)
    this.#unsigned ??= { seq: link.seq, from: time, to: time }
    this.#unsigned.to = Math.max(this.#unsigned.to, time)
    if (own?.reason === ownReasons.retain) this.#keep(link.seq, own.data as RetainFacts | undefined)
    if (start === undefined || signed === start) return undefined
    return missingCheckpoint(
      start,
      `the checkpoint that a start signs before it takes any event (record ${start})`,
    )
  }

  sign(seq: number): void {
    if (this.#unsigned !== undefined && this.#unsigned.seq <= seq) this.#unsigned = undefined
  }

  finish({ first, last, signed, checkpointsBeginning }: WalkedLog): Fault | undefined {
    if (first === undefined || last === undefined) return undefined
    if (signed === undefined && this.#sawOther) return missingCheckpoint(first.seq, 'every checkpoint')
    const unsigned = this.#unsigned
    if (unsigned !== undefined && unsigned.to - unsigned.from > longestUnsigned) {
      const seconds = Math.round((unsigned.to - unsigned.from) / 1000)
      return missingCheckpoint(
        unsigned.seq,
        `${seconds} seconds' checkpoints after record ${unsigned.seq - 1}`,
      )
    }
    return this.#judgeBeginning(first, signed) ?? this.#judgeCheckpoints(checkpointsBeginning, signed)
  }

  #judgeBeginning(first: Link, signed: number | undefined): Fault | undefined {
    if (first.seq === 1) return undefined
    const isRetained = this.#isSigned(signed, ({ segments }) =>
      segments.some((each) => each.lastSeq === first.seq - 1 && each.lastHash === first.previousHash),
    )
    if (isRetained) return undefined
    return {
      problem: 'dropped',
      seq: 1,
      message: `the log begins with record ${first.seq}, and no signed event says that those before were let go`,
    }
  }

  #judgeCheckpoints(beginning: string | undefined, signed: number | undefined): Fault | undefined {
    if (beginning === undefined || beginning === genesis) return undefined
    if (this.#isSigned(signed, ({ checkpoints }) => checkpoints?.lineHash === beginning)) return undefined
    return missingCheckpoint(1, 'the first checkpoints')
  }

  #isSigned(signed: number | undefined, says: (facts: RetainFacts) => boolean): boolean {
    return this.#retained.some(({ seq, facts }) => (!this.#hasKeys || seq <= (signed ?? 0)) && says(facts))
  }

  /** Keeps only what can matter: memory must not grow with the log. */
  #keep(seq: number, facts: RetainFacts | undefined): void {
    if (facts === undefined || !Array.isArray(facts.segments)) return
    const isOfBeginning = facts.segments.some((each) => each.lastSeq === (this.#first?.seq ?? 1) - 1)
    if (isOfBeginning || facts.checkpoints !== undefined) this.#retained.push({ seq, facts })
  }
}

function missingCheckpoint(seq: number, what: string): Fault {
  return { problem: 'bad_checkpoint', seq, message: `missing: ${what}` }
}
