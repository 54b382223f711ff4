/** Many inputs through all readers: makes them, compares, counts, and keeps the smallest input of each disagreement. */
import { compare, isSame, minimise, type Verdict } from './compare.ts'
import { generate, mutate } from './generate.ts'
import { readWithLlhttp } from './llhttp.ts'
import { NodeHttp } from './node-http.ts'
import { readWithOurs } from './ours.ts'
import { Random } from './random.ts'
import type { Input, Reading } from './reading.ts'
import { known } from './reviewed.ts'
import { readStrictly } from './strict.ts'

export interface CampaignOptions {
  readonly seed: number
  /** Ends after so many inputs, or so many milliseconds. */
  readonly cases: number
  readonly milliseconds: number
  /** Inputs to begin with. */
  readonly corpus: readonly Input[]
  /** Told now and then. */
  readonly progress?: (cases: number) => void
}

export interface Finding {
  readonly oracle: string
  readonly what: string
  /** As small as it could be made. */
  readonly input: Input
  count: number
}

export interface Outcome {
  readonly cases: number
  /** Inputs of which we take at least one message. */
  readonly accepted: number
  readonly splits: number
  /** What we refuse and an oracle accepts, by cause. */
  readonly stricter: ReadonlyMap<string, number>
  readonly waiting: ReadonlyMap<string, number>
  /** Reviewed: why each is no fault. */
  readonly reviewed: ReadonlyMap<string, number>
  /** What must not be. */
  readonly findings: readonly Finding[]
}

/** More kinds of disagreement than this are one bug in many forms. */
const mostFindings = 20
/** An input that no longer grows the pool would only be copied. */
const largestPool = 4000
const longestWithAllSplits = 400

export async function runCampaign(options: CampaignOptions): Promise<Outcome> {
  return new Campaign(options).run()
}

class Campaign {
  readonly #options: CampaignOptions
  readonly #random: Random
  readonly #pool: Input[]
  readonly #seen = new Set<string>()
  readonly #node = new NodeHttp()
  readonly #stricter = new Map<string, number>()
  readonly #waiting = new Map<string, number>()
  readonly #reviewed = new Map<string, number>()
  readonly #findings = new Map<string, Finding>()
  #cases = 0
  #accepted = 0
  #splits = 0

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#pool = [...options.corpus]
  }

  async run(): Promise<Outcome> {
    const { cases, milliseconds, corpus, progress } = this.#options
    const deadline = performance.now() + milliseconds
    for (const input of corpus) if (this.#findings.size < mostFindings) await this.#try(input, true)
    while (this.#cases < cases && this.#findings.size < mostFindings && performance.now() < deadline) {
      await this.#try(this.#next(), this.#random.once(50))
      if (this.#cases % 10_000 === 0) progress?.(this.#cases)
    }
    return {
      cases: this.#cases,
      accepted: this.#accepted,
      splits: this.#splits,
      stricter: this.#stricter,
      waiting: this.#waiting,
      reviewed: this.#reviewed,
      findings: [...this.#findings.values()],
    }
  }

  #next(): Input {
    const random = this.#random
    if (this.#pool.length === 0 || random.below(10) < 3) return generate(random)
    const input = random.pick(this.#pool)
    return mutate(random, random.once(8) ? generate(random) : input, random.pick(this.#pool))
  }

  async #try(input: Input, isThorough: boolean): Promise<void> {
    this.#cases += 1
    try {
      await this.#read(input, isThorough)
    } catch (error) {
      this.#report('itself', `throws: ${(error as Error).message}`, input)
    }
  }

  async #read(input: Input, isThorough: boolean): Promise<void> {
    const ours = readWithOurs(input)
    if (ours.messages.length > 0 || ours.open !== undefined) this.#accepted += 1
    const theirs = readWithLlhttp(input)
    this.#judge('llhttp', input, compare(ours, theirs), readWithLlhttp)
    if (ours.messages.length > 0)
      this.#judge('strict reader', input, compareWhole(ours, readStrictly(input)), readStrictly)
    if (isThorough && input.side === 'request' && ours.messages.length > 0) await this.#askNode(input, ours)
    this.#split(input, ours, isThorough)
    this.#remember(input, ours, theirs)
  }

  /** The same in other pieces must be the same. */
  #split(input: Input, ours: Reading, isThorough: boolean): void {
    const { length } = input.bytes
    const cuts: number[][] = []
    if (isThorough && length <= longestWithAllSplits) for (let at = 1; at < length; at += 1) cuts.push([at])
    else if (length > 1)
      for (let count = 3; count > 0; count -= 1) cuts.push([1 + this.#random.below(length - 1)])
    if (isThorough || this.#random.once(10))
      cuts.push(Array.from({ length: Math.max(length - 1, 0) }, (_, index) => index + 1))
    for (const cut of cuts) {
      this.#splits += 1
      if (isSame(ours, readWithOurs(input, cut))) continue
      this.#report('itself', 'another reading when it comes in pieces', input, (other) => {
        const whole = readWithOurs(other)
        return other.bytes.split('').some((_, at) => at > 0 && !isSame(whole, readWithOurs(other, [at])))
      })
      return
    }
  }

  async #askNode(input: Input, ours: Reading): Promise<void> {
    const theirs = await this.#node.read(input.bytes)
    const verdict = compareWhole(withoutEnds(ours), withoutEnds(theirs))
    if (verdict.kind !== 'looser') return
    const reason = known('node:http', verdict.what, input)
    if (reason === undefined) this.#report('node:http', verdict.what, input)
    else count(this.#reviewed, `node:http: ${reason}`)
  }

  #judge(oracle: string, input: Input, verdict: Verdict, read: (input: Input) => Reading): void {
    if (verdict.kind === 'stricter') count(this.#stricter, `${oracle}: ${verdict.what}`)
    else if (verdict.kind === 'waiting') count(this.#waiting, `${oracle}: ${verdict.what}`)
    else if (verdict.kind === 'looser') {
      const reason = known(oracle, verdict.what, input)
      if (reason !== undefined) count(this.#reviewed, `${oracle}: ${reason}`)
      else
        this.#report(oracle, verdict.what, input, (other) => {
          const ours = readWithOurs(other)
          const found = oracle === 'llhttp' ? compare(ours, read(other)) : compareWhole(ours, read(other))
          return (
            found.kind === 'looser' &&
            found.what === verdict.what &&
            known(oracle, found.what, other) === undefined
          )
        })
    }
  }

  #report(oracle: string, what: string, input: Input, isInteresting?: (input: Input) => boolean): void {
    const key = `${oracle}: ${what}`
    const finding = this.#findings.get(key)
    if (finding === undefined)
      this.#findings.set(key, {
        oracle,
        what,
        input: isInteresting === undefined ? input : minimise(input, isInteresting),
        count: 1,
      })
    else finding.count += 1
  }

  /** Keeps what was read in a way that nothing before was. */
  #remember(input: Input, ours: Reading, theirs: Reading): void {
    const shape = [
      input.side,
      ours.state,
      ours.why,
      ours.messages.length,
      theirs.state,
      theirs.why,
      theirs.messages.length,
    ]
    const last = ours.messages.at(-1) ?? ours.open
    shape.push(
      last?.method ?? '',
      last?.status ?? '',
      last?.fields.length ?? 0,
      Math.min(last?.body.length ?? 0, 30),
    )
    const key = shape.join()
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (this.#pool.length < largestPool) this.#pool.push(input)
    else this.#pool[this.#random.below(largestPool)] = input
  }
}

/** For readers that tell of whole messages only. */
export function compareWhole(ours: Reading, theirs: Reading): Verdict {
  return compare({ ...ours, open: undefined, state: 'over' }, theirs)
}

function withoutEnds(reading: Reading): Reading {
  return { ...reading, messages: reading.messages.map((message) => ({ ...message, end: -1 })) }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
