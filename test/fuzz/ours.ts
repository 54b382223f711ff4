/** Our reader: the parsers of `src/wire/` and what judges their heads, put together as the connections do, without sockets. */
import { inspectHead } from '../../src/server/head.ts'
import { judgeInterim, judgeResponseHead } from '../../src/upstream/response-head.ts'
import { BodyReader, type Framing } from '../../src/wire/body.ts'
import { RequestHeadParser } from '../../src/wire/request-head.ts'
import { ResponseHeadParser } from '../../src/wire/response-head.ts'
import type { Input, Message, Reading } from './reading.ts'

const bounds = { headers: 64 * 1024, headerCount: 500 } as const
const noNames: ReadonlySet<string> = new Set()

/** @param cuts where the bytes are cut into pieces, ascending; the answer must not hang on them */
export function readWithOurs(input: Input, cuts: readonly number[] = []): Reading {
  return input.side === 'request' ? new RequestRun(input).read(cuts) : new ResponseRun(input).read(cuts)
}

abstract class Run {
  protected readonly input: Input
  protected readonly bytes: Buffer
  protected readonly reading: Reading = { messages: [], open: undefined, state: 'idle', why: '' }
  /** Where the present message begins. */
  protected base = 0
  readonly #body = new BodyReader()
  #isInBody = false
  /** Of the next byte in a body. */
  #at = 0

  constructor(input: Input) {
    this.input = input
    this.bytes = Buffer.from(input.bytes, 'latin1')
  }

  read(cuts: readonly number[]): Reading {
    for (const end of [...cuts, this.bytes.length]) {
      this.#readTo(end)
      if (this.reading.state === 'refused' || this.reading.state === 'over') return this.reading
    }
    if (this.input.isEnded) this.#end()
    if (this.#isInBody || this.base < this.bytes.length) this.reading.state = 'partial'
    return this.reading
  }

  /** @returns where the head ends, or undefined when it has not, or never will */
  protected abstract readHead(end: number): number | undefined
  /** The message is whole. */
  protected abstract finished(message: Message): void
  protected abstract resetHead(): void

  protected refuse(why: string): undefined {
    this.reading.state = 'refused'
    this.reading.why = why
    return undefined
  }

  protected begin(message: Omit<Message, 'body' | 'end'>, framing: Framing): void {
    this.reading.open = { ...message, body: '', end: -1 }
    this.#body.begin(framing)
    this.#isInBody = true
  }

  #readTo(end: number): void {
    for (;;) {
      if (!this.#isInBody) {
        const at = this.base < end ? this.readHead(end) : undefined
        if (at === undefined || !this.#isInBody) return
        this.#at = at
      }
      if (!this.#readBody(end)) return
    }
  }

  /** @returns whether the message is whole and another may follow */
  #readBody(end: number): boolean {
    const body = this.#body
    for (;;) {
      const progress = body.next(this.bytes, this.#at, end)
      if (progress === 'fault') {
        this.refuse(body.fault ?? 'body')
        return false
      }
      if (progress === 'data' && !(body.at > this.#at)) throw new Error('a body that does not get on')
      this.#at = body.at
      if (progress === 'data') this.reading.open!.body += this.bytes.toString('latin1', body.start, body.end)
      else if (progress === 'more') return false
      else return this.#finish()
    }
  }

  #finish(): boolean {
    const { reading } = this
    const message: Message = { ...reading.open!, end: this.#at }
    reading.open = undefined
    reading.messages.push(message)
    this.#isInBody = false
    this.base = this.#at
    this.resetHead()
    this.finished(message)
    return reading.state === 'idle'
  }

  #end(): void {
    if (this.#isInBody && this.#body.endsWithConnection) this.#finish()
  }
}

class RequestRun extends Run {
  readonly #parser = new RequestHeadParser()
  #isLast = false

  constructor(input: Input) {
    super(input)
    this.#parser.reset()
  }

  protected override readHead(end: number): number | undefined {
    const parser = this.#parser
    const progress = parser.parse(this.bytes, this.base, end, bounds)
    if (progress === 'more') return undefined
    if (progress === 'fault') return this.refuse(parser.fault!)
    const { method, target, version, fields } = parser
    const head = inspectHead({ method, target, version, fields }, bounds, noNames)
    if ('reason' in head) return this.refuse(`${head.reason} ${head.detail ?? ''}`.trim())
    this.#isLast = !head.persists || head.asksUpgrade
    const framing = head.hasBody ? (head.contentLength ?? 'chunked') : 0
    this.begin({ method, target, status: 0, version, fields, persists: head.persists }, framing)
    return this.base + parser.size
  }

  protected override finished(): void {
    if (this.#isLast) this.reading.state = 'over'
  }

  protected override resetHead(): void {
    this.#parser.reset()
  }
}

class ResponseRun extends Run {
  readonly #parser = new ResponseHeadParser()

  constructor(input: Input) {
    super(input)
    this.#parser.reset()
  }

  protected override readHead(end: number): number | undefined {
    const parser = this.#parser
    const progress = parser.parse(this.bytes, this.base, end, bounds)
    if (progress === 'more') return undefined
    if (progress === 'fault') return this.refuse(parser.fault!)
    const { status, reason, version, fields } = parser
    const facts = { method: '', target: '', status, version, fields }
    if (status < 200) {
      // A 101 is none where nobody asked for it.
      if (status < 100 || status === 101) return this.refuse('a status that was not asked for')
      if (judgeInterim({ status, reason, version, fields, isChecked: true }) === undefined)
        return this.refuse('a bad interim answer')
      this.begin({ ...facts, persists: true }, 0)
      return this.base + parser.size
    }
    const head = judgeResponseHead({ status, reason, version, fields, isChecked: true }, this.input.method)
    if (typeof head === 'string') return this.refuse(head)
    const framing = { none: 0, length: head.length, chunked: 'chunked', close: 'close' } as const
    this.begin({ ...facts, persists: head.persists && head.body !== 'close' }, framing[head.body])
    return this.base + parser.size
  }

  protected override finished({ status }: Message): void {
    if (status >= 200) this.reading.state = 'over'
  }

  protected override resetHead(): void {
    this.#parser.reset()
  }
}
