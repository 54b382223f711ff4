/** Runs a case of the corpus against a whole gateway, and says in words what is not as it should be. */
import { caseKey, host, type RequestCase, type RequestVerdict, type Seen } from '../corpus/request-case.ts'
import { subjectOf, type RecordedConnection, type Told } from '../harness/recording-upstream.ts'
import { StrictClient } from '../harness/strict-client.ts'
import { values, type StrictMessage } from '../harness/strict-reader.ts'
import type { CorpusGateway, Lane } from './corpus-gateway.ts'

/** How the bytes of a case are cut into packets. */
export type Cut = (bytes: string) => readonly string[]

/** Milliseconds between the parts of a case that has several. */
const pause = 25
const patience = 8000

/** One client with a key of its own, and a victim on another connection. */
export class CaseRunner {
  readonly #corpus: CorpusGateway
  readonly #lane: Lane
  readonly #late: number
  #victim: StrictClient | undefined = undefined
  #count = 0
  #seen = 0
  /** When a case last left a part of a request behind that may still be on its way through a proxy. */
  #begunAt = -Infinity
  /** What a case with two good verdicts got when it came in one piece. */
  readonly #taken = new Map<RequestCase, boolean>()

  /** @param late milliseconds that a part of an earlier request may take to arrive, where a proxy passes it on */
  constructor(corpus: CorpusGateway, lane: Lane, late = 0) {
    this.#corpus = corpus
    this.#lane = lane
    this.#late = late
  }

  /** @returns what is wrong, in words */
  async run(given: RequestCase, cut?: Cut): Promise<string[]> {
    this.#count += 1
    const { recorder } = this.#corpus
    this.#seen = recorder.messages.length
    const verdict = (this.#corpus.plane === 'node' ? given.node : undefined) ?? given
    const client = new StrictClient({ port: this.#corpus.gateway.port, patience })
    try {
      await this.#send(client, given, verdict, cut)
      const heard = await this.#listen(client, given, verdict)
      const seen = this.#messages()
      const chosen = this.#choose(given, verdict, heard)
      return [
        ...this.#judgeAnswers(chosen, heard),
        ...this.#judgeSeen(chosen, seen),
        ...(await this.#judgeUnfinished(chosen)),
        ...(await this.#askAsVictim()),
        ...recorder.faults.splice(0).map((fault) => `went upstream: ${fault}`),
      ]
    } catch (error) {
      return [(error as Error).message]
    } finally {
      client.destroy()
    }
  }

  stop(): void {
    this.#victim?.destroy()
  }

  get #canary(): string {
    return `/canary/${this.#lane.subject}/${this.#count}`
  }

  async #send(client: StrictClient, given: RequestCase, verdict: RequestVerdict, cut?: Cut): Promise<void> {
    const parts = given.parts.map((part) => part.replaceAll(caseKey, this.#lane.key))
    const canary =
      verdict.then === 'unfinished'
        ? ''
        : `GET ${this.#canary} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${this.#lane.key}\r\n\r\n`
    const last = parts.length - 1
    for (const [index, part] of parts.entries()) {
      if (index > 0) await delay(pause)
      const pieces = cut === undefined ? [part] : cut(part)
      for (const [at, piece] of pieces.entries()) {
        if (at > 0) await turn()
        client.send(index === last && at === pieces.length - 1 ? piece + canary : piece)
      }
    }
    if (verdict.then === 'unfinished') {
      await turn()
      client.end()
    }
  }

  /** Reads until the canary is answered or the connection ends. */
  async #listen(client: StrictClient, given: RequestCase, verdict: RequestVerdict): Promise<Heard> {
    const answers: StrictMessage[] = []
    for (;;) {
      const index = answers.length
      const isHead =
        verdict.seen[index]?.method === 'HEAD' || (index === 0 && given.parts[0]!.startsWith('HEAD '))
      const answer = await client.answer(isHead ? 'HEAD' : 'GET')
      if (answer === undefined) break
      if (isHead && answer.status >= 400) {
        // A head that was not understood may be answered with a body.
        const length = Number(values(answer.fields, 'content-length')[0] ?? 0)
        if (client.rest.length >= length && !client.rest.startsWith('HTTP/')) client.skip(length)
      }
      if (answer.status === 200 && told(answer)?.target === this.#canary) {
        return { answers, canary: told(answer), rest: client.rest }
      }
      answers.push(answer)
    }
    return { answers, canary: undefined, rest: client.rest }
  }

  /** Where two verdicts are good, the one that was meant; it must be the same however the packets are cut. */
  #choose(given: RequestCase, verdict: RequestVerdict, heard: Heard): RequestVerdict {
    if (!given.orRefused || verdict !== given) return verdict
    const status = heard.answers.at(-1)?.status ?? 0
    const isRefused = status >= 400
    const before = this.#taken.get(given)
    if (before === undefined) this.#taken.set(given, isRefused)
    else if (before !== isRefused)
      return { answers: [], seen: [], then: before ? 'closed' : 'open', mayBegin: true }
    if (!isRefused) return verdict
    return { answers: ['refusal'], seen: [], then: 'closed', mayBegin: given.mayBegin }
  }

  #judgeAnswers(verdict: RequestVerdict, { answers, canary, rest }: Heard): string[] {
    const problems: string[] = []
    const statuses = answers.map(({ status }) => status)
    if (verdict.then === 'unfinished') {
      if (statuses.some((status) => status < 400) || statuses.length > 1)
        problems.push(`answered ${show(statuses)}`)
      if (rest !== '') problems.push(`left: ${show(rest.slice(0, 200))}`)
      return problems
    }
    const isAsMeant =
      statuses.length === verdict.answers.length &&
      verdict.answers.every((meant, index) =>
        meant === 'refusal' ? isRefusal(statuses[index]!) : meant === statuses[index],
      )
    if (!isAsMeant) problems.push(`answered ${show(statuses)}, not ${show(verdict.answers)}`)
    if (rest !== '') problems.push(`left: ${show(rest.slice(0, 200))}`)
    if (verdict.then === 'open' && canary === undefined) problems.push('the next request was not answered')
    if (verdict.then === 'closed' && canary !== undefined) problems.push('the next request was answered')
    if (canary !== undefined && canary.subject !== this.#lane.subject)
      problems.push(`the next request was answered as ${show(canary.subject)}`)
    answers
      .filter(({ status, framing }) => status === 200 && framing !== 'none')
      .forEach((answer, index) => {
        const tale = told(answer)
        if (tale?.subject !== this.#lane.subject)
          problems.push(`somebody else's answer: ${answer.body.slice(0, 200)}`)
        const meant = verdict.seen.filter(({ method }) => method !== 'HEAD')[index]
        if (isAsMeant && tale?.target !== meant?.target)
          problems.push(`the answer to ${show(tale?.target)}, not to ${show(meant?.target)}`)
      })
    if (canary === undefined) {
      const last = answers.at(-1)
      if (last !== undefined && values(last.fields, 'connection').join().toLowerCase() !== 'close')
        problems.push('closed without saying so')
    }
    return problems
  }

  /** What reached the upstream for this client. */
  #messages(): StrictMessage[] {
    const { recorder } = this.#corpus
    const all = recorder.messages.slice(this.#seen)
    return all.filter(
      (message) =>
        message.target !== this.#canary &&
        (subjectOf(message) === this.#lane.subject || !isKnown(subjectOf(message))),
    )
  }

  #judgeSeen(verdict: RequestVerdict, messages: readonly StrictMessage[]): string[] {
    const problems: string[] = []
    const seen = messages.map(({ method, target, body }): Seen => ({ method, target, body }))
    if (
      JSON.stringify(seen) !==
      JSON.stringify(
        verdict.seen.map(({ method, target, body }) => ({
          method,
          target,
          body: body.replaceAll(caseKey, this.#lane.key),
        })),
      )
    )
      problems.push(`upstream saw ${show(seen)}, not ${show(verdict.seen)}`)
    for (const message of messages) {
      if (subjectOf(message) !== this.#lane.subject)
        problems.push(`a foreign identity: ${show(values(message.fields, 'x-auth-subject'))}`)
      if (message.hasExtensions) problems.push('chunk extensions went upstream')
      if (message.trailers.length > 0) problems.push('trailers went upstream')
    }
    return problems
  }

  async #judgeUnfinished(verdict: RequestVerdict): Promise<string[]> {
    const mine = (): RecordedConnection[] =>
      this.#corpus.recorder
        .unfinished()
        .filter(({ rest }) => rest.includes(`X-Auth-Subject: ${this.#lane.subject}\r\n`))
    const begun = mine()
    if (verdict.mayBegin) this.#begunAt = performance.now()
    const isLate = performance.now() - this.#begunAt < this.#late
    if (begun.length > 0 && !verdict.mayBegin && !isLate)
      return [`a part went upstream: ${show(begun[0]!.rest.slice(0, 300))}`]
    for (const connection of begun) {
      const deadline = performance.now() + 4000
      while (!connection.isOver && performance.now() < deadline) await delay(2)
      if (!connection.isOver) return ['a message that never ends stays open upstream']
      this.#corpus.recorder.drop(connection)
    }
    return []
  }

  /** Somebody else, on a connection that stays. */
  async #askAsVictim(): Promise<string[]> {
    const { victim, victimKey, subject } = this.#lane
    const target = `/victim/${subject}/${this.#count}`
    if (this.#victim === undefined || this.#victim.isOver)
      this.#victim = new StrictClient({ port: this.#corpus.gateway.port, patience })
    this.#victim.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${victimKey}\r\n\r\n`)
    const answer = await this.#victim.answer()
    const tale = answer === undefined ? undefined : told(answer)
    return tale?.target === target && tale.subject === victim
      ? []
      : [
          `a second client asked ${target} and got ${answer?.status ?? 'nothing'} ${answer?.body.slice(0, 200) ?? ''}`,
        ]
  }
}

interface Heard {
  readonly answers: readonly StrictMessage[]
  readonly canary: Told | undefined
  readonly rest: string
}

function told(answer: StrictMessage): Told | undefined {
  try {
    return JSON.parse(answer.body) as Told
  } catch {
    return undefined
  }
}

function isKnown(subject: string | undefined): boolean {
  return subject !== undefined && /^(?:lane|victim)-\d\d$/.test(subject)
}

function isRefusal(status: number): boolean {
  return (status >= 400 && status < 500) || status === 501 || status === 505
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Lets everybody in this process read what has been written. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
}
