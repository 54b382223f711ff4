/**
 * Runs bytes through the gateway, or a proxy in front of it, without knowing what should become of them: whatever goes on, each
 * request that reaches the service is one that was answered, is its sender's, and nobody gets an answer that is another's.
 */
import { caseKey, host, type RequestCase } from '../corpus/request-case.ts'
import { subjectOf, type RecordingUpstream, type Told } from '../harness/recording-upstream.ts'
import { readResponse, type StrictMessage } from '../harness/strict-reader.ts'
import { StrictClient } from '../harness/strict-client.ts'
import type { Lane } from './corpus-gateway.ts'
import { delay, turn, type Cut } from './corpus-runner.ts'

/** The proxy gives up on a request that does not end after a second. */
const patience = 2500
const pause = 25

export interface ChainOptions {
  /** Cuts the bytes into packets. */
  readonly cut?: Cut
  /** Of the requests that may go on, in order, where that is known. */
  readonly bodies?: readonly string[]
}

export class ChainRunner {
  readonly #port: number
  readonly #isProxied: boolean
  readonly #recorder: RecordingUpstream
  readonly #lane: Lane
  #victim: StrictClient | undefined = undefined
  #count = 0
  /** Requests that reached the service. */
  passed = 0

  /**
   * @param port of the gateway, or of the proxy
   * @param isProxied the proxy may close an idle connection just when the next request comes, if everything on the machine is late
   */
  constructor(port: number, recorder: RecordingUpstream, lane: Lane, isProxied = false) {
    this.#port = port
    this.#isProxied = isProxied
    this.#recorder = recorder
    this.#lane = lane
  }

  /** @returns what is wrong, in words */
  async run(
    given: Pick<RequestCase, 'parts' | 'then'>,
    { cut, bodies }: ChainOptions = {},
  ): Promise<string[]> {
    this.#count += 1
    const before = this.#recorder.messages.length
    const client = new StrictClient({ port: this.#port, patience })
    try {
      const whole = given.parts.map((part) => part.replaceAll(caseKey, this.#lane.key))
      const parts = cut === undefined ? whole : whole.flatMap((part) => cut(part))
      const canary = `GET /canary/${this.#lane.subject}/${this.#count} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${this.#lane.key}\r\n\r\n`
      for (const [index, part] of parts.entries()) {
        if (index > 0) await (cut === undefined ? delay(pause) : turn())
        client.send(index === parts.length - 1 && given.then !== 'unfinished' ? part + canary : part)
      }
      if (given.then === 'unfinished') client.end()
      const answers = await this.#listen(client, () => this.#mine(before))
      const messages = this.#mine(before)
      const problems = this.#judge(answers, messages)
      if (bodies !== undefined) problems.push(...this.#judgeBodies(messages, bodies))
      return [...problems, ...(await this.#askAsVictim())]
    } catch (error) {
      return [(error as Error).message]
    } finally {
      client.destroy()
    }
  }

  stop(): void {
    this.#victim?.destroy()
  }

  /** Final answers until the connection ends, or the proxy has nothing more to say. */
  async #listen(client: StrictClient, mine: () => readonly StrictMessage[]): Promise<StrictMessage[]> {
    const answers: StrictMessage[] = []
    const target = `/canary/${this.#lane.subject}/${this.#count}`
    try {
      for (;;) {
        const good = answers.filter(({ status }) => status === 200).length
        const answer = await client.answer(() => (mine()[good]?.method === 'HEAD' ? 'HEAD' : 'GET'))
        if (answer === undefined) break
        answers.push(answer)
        if (told(answer)?.target === target) break
      }
    } catch {
      // HTTP/0.9 has no head: what is left is one answer, if it is anything.
      if (client.rest !== '' && readResponse(client.rest, 0, 'GET', false).kind === 'fault')
        answers.push({ ...unknown, body: client.rest })
    }
    return answers
  }

  #mine(since: number): StrictMessage[] {
    return this.#recorder.messages
      .slice(since)
      .filter((message) => subjectOf(message) === this.#lane.subject || !isOwned(subjectOf(message)))
  }

  #judge(answers: readonly StrictMessage[], messages: readonly StrictMessage[]): string[] {
    const problems: string[] = []
    this.passed += messages.length
    if (messages.length > answers.length)
      problems.push(
        `${answers.length} answers, but the service saw ${show(messages.map(({ target }) => target))}`,
      )
    for (const message of messages)
      if (subjectOf(message) !== this.#lane.subject)
        problems.push(`a foreign identity: ${show(message.fields)}`)
    const good = answers.filter(({ status }) => status === 200)
    for (const [index, answer] of good.entries()) {
      const message = messages[index]
      if (message?.method === 'HEAD') continue
      const tale = told(answer)
      if (tale === undefined || tale.target !== message?.target || tale.subject !== this.#lane.subject)
        problems.push(
          `answer ${index} is ${answer.body.slice(0, 200)}, and the request ${show(message?.target)}`,
        )
    }
    return problems
  }

  #judgeBodies(messages: readonly StrictMessage[], bodies: readonly string[]): string[] {
    const left = bodies.map((body) => body.replaceAll(caseKey, this.#lane.key))
    const problems: string[] = []
    for (const { target, body } of messages) {
      while (left.length > 0 && left[0] !== body) left.shift()
      if (left.shift() === undefined) problems.push(`${target} with a body that is none: ${show(body)}`)
    }
    return problems
  }

  async #askAsVictim(): Promise<string[]> {
    const { victim, subject } = this.#lane
    const target = `/victim/${subject}/${this.#count}`
    const answer =
      (await this.#answerToVictim(target)) ??
      (this.#isProxied ? await this.#answerToVictim(target) : undefined)
    const tale = answer === undefined ? undefined : told(answer)
    return tale?.target === target && tale.subject === victim
      ? []
      : [
          `a second client asked ${target} and got ${answer?.status ?? 'nothing'} ${answer?.body.slice(0, 200) ?? ''}`,
        ]
  }

  /** Somebody else, on a connection that stays. */
  async #answerToVictim(target: string): Promise<StrictMessage | undefined> {
    if (this.#victim === undefined || this.#victim.isOver)
      this.#victim = new StrictClient({ port: this.#port, patience: 8000 })
    this.#victim.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${this.#lane.victimKey}\r\n\r\n`)
    return this.#victim.answer()
  }
}

const unknown: StrictMessage = {
  line: '',
  method: '',
  target: '',
  status: 0,
  version: '',
  fields: [],
  framing: 'close',
  body: '',
  trailers: [],
  hasExtensions: false,
  end: -1,
}

function isOwned(subject: string | undefined): boolean {
  return subject !== undefined && /^(?:lane|victim)-\d\d$/.test(subject)
}

function told(answer: StrictMessage): Told | undefined {
  try {
    return JSON.parse(answer.body) as Told
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
