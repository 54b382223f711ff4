/** Runs a case of hostile answers against a whole gateway, and says in words what is not as it should be. */
import { host } from '../corpus/request-case.ts'
import type { Answer, ResponseCase } from '../corpus/response-case.ts'
import type { HostileConnection, HostileUpstream } from '../harness/hostile-upstream.ts'
import type { Told } from '../harness/recording-upstream.ts'
import { StrictClient } from '../harness/strict-client.ts'
import type { StrictMessage } from '../harness/strict-reader.ts'
import type { CorpusGateway, Lane, Plane } from './corpus-gateway.ts'
import { delay, turn, type Cut } from './corpus-runner.ts'

const patience = 8000
/** Milliseconds until the gateway must have closed a connection that it cannot use again: far less than it may idle. */
const closing = 3000

export class ResponseRunner {
  readonly #port: number
  readonly #plane: Plane
  readonly #upstream: HostileUpstream
  readonly #lane: Lane
  #victim: StrictClient | undefined = undefined
  #count = 0

  constructor(corpus: CorpusGateway, upstream: HostileUpstream, lane: Lane) {
    this.#port = corpus.gateway.port
    this.#plane = corpus.plane
    this.#upstream = upstream
    this.#lane = lane
  }

  /** @returns what is wrong, in words */
  async run(each: ResponseCase, cut?: Cut): Promise<string[]> {
    this.#count += 1
    const given = this.#plane === 'node' ? { ...each, ...each.node } : each
    const target = `/case/${this.#lane.subject}/${this.#count}`
    const parts = given.parts.map((part) => (cut === undefined ? [part] : cut(part)))
    const { then, isEarly } = given
    this.#upstream.behaviours.set(target, { parts, then, isEarly })
    const client = new StrictClient({ port: this.#port, patience })
    try {
      client.send(this.#request(given, target))
      const answer = await client.answer(given.method)
      const problems = this.#judge(given, answer, client.rest)
      if (answer?.status === 502 && given.orRefused) return [...problems, ...(await this.#askAsVictim())]
      return [
        ...problems,
        ...(await this.#judgeConnection(given, target)),
        ...(await this.#askAgain(given, client, answer)),
        ...(await this.#askAsVictim()),
        ...this.#upstream.faults.splice(0).map((fault) => `went upstream: ${fault}`),
      ]
    } catch (error) {
      return [(error as Error).message]
    } finally {
      client.destroy()
      this.#upstream.behaviours.delete(target)
    }
  }

  stop(): void {
    this.#victim?.destroy()
  }

  #request({ method, asksUpgrade, isEarly }: ResponseCase, target: string): string {
    const upgrade = asksUpgrade
      ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
      : ''
    const body = method !== 'POST' ? '' : isEarly ? 'Content-Length: 1000\r\n' : 'Content-Length: 2\r\n'
    const bytes = method !== 'POST' ? '' : 'hi'
    return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${this.#lane.key}\r\n${upgrade}${body}\r\n${bytes}`
  }

  #judge(given: ResponseCase, answer: StrictMessage | undefined, rest: string): string[] {
    const problems: string[] = []
    const meant = given.orRefused && answer?.status === 502 ? 'refused' : given.client
    const got =
      answer === undefined
        ? `nothing whole, but ${show(rest.slice(0, 200))}`
        : `${answer.status} ${show(answer.body.slice(0, 200))}`
    if (typeof meant === 'object') {
      if (answer === undefined || !isMeant(answer, meant))
        problems.push(`the client got ${got}, not ${show(meant)}`)
    } else {
      const isRefused = answer?.status === 502 && answer.body.includes('"upstream_unavailable"')
      const isRefusedHead = answer?.status === 502 && given.method === 'HEAD'
      const isCut = answer === undefined && rest.startsWith('HTTP/1.1 200')
      const isFine =
        meant === 'refused' ? isRefused || isRefusedHead : meant === 'cut' ? isCut : isRefused || isCut
      if (!isFine) problems.push(`the client got ${got}, not ${meant}`)
      if (
        (answer?.body ?? '').includes('smuggled') ||
        JSON.stringify(answer?.fields ?? []).includes('smuggled')
      )
        problems.push(`the client got what was smuggled: ${got}`)
    }
    if (answer !== undefined && rest !== '') problems.push(`left: ${show(rest.slice(0, 200))}`)
    return problems
  }

  async #judgeConnection(given: ResponseCase, target: string): Promise<string[]> {
    const connection = this.#upstream.connectionOf(target)
    if (connection === undefined) return ['the upstream was never asked']
    if (given.connection === 'closed') {
      const deadline = performance.now() + closing
      while (!connection.isOver && performance.now() < deadline) await delay(2)
      return connection.isOver
        ? this.#used(connection, target)
        : ['the connection to the upstream stays open']
    }
    if (given.connection === 'kept') {
      await turn()
      if (connection.isOver) return ['the connection to the upstream was closed']
    }
    return []
  }

  /** A connection that was closed must not have served anybody behind the case. */
  #used({ targets }: HostileConnection, target: string): string[] {
    const behind = targets.slice(targets.indexOf(target) + 1)
    return behind.length === 0 ? [] : [`the connection served on: ${show(behind)}`]
  }

  /** The client's own connection, where the answer left it open. */
  async #askAgain(
    given: ResponseCase,
    client: StrictClient,
    answer: StrictMessage | undefined,
  ): Promise<string[]> {
    if (answer === undefined || client.isOver || given.isEarly || given.asksUpgrade) return []
    if (answer.fields.some(([name, value]) => name.toLowerCase() === 'connection' && /close/i.test(value)))
      return []
    const target = `/again/${this.#lane.subject}/${this.#count}`
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${this.#lane.key}\r\n\r\n`)
    return judgeOwn(await client.answer(), target, this.#lane.subject)
  }

  /** Somebody else, on a connection that stays. */
  async #askAsVictim(): Promise<string[]> {
    const { victim, victimKey, subject } = this.#lane
    const target = `/victim/${subject}/${this.#count}`
    if (this.#victim === undefined || this.#victim.isOver)
      this.#victim = new StrictClient({ port: this.#port, patience })
    this.#victim.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${victimKey}\r\n\r\n`)
    return judgeOwn(await this.#victim.answer(), target, victim)
  }
}

function isMeant(answer: StrictMessage, meant: Answer): boolean {
  return answer.status === meant.status && answer.body === meant.body
}

function judgeOwn(answer: StrictMessage | undefined, target: string, subject: string): string[] {
  const what = `${answer?.status ?? 'nothing'} ${answer?.body.slice(0, 200) ?? ''}`
  try {
    const told = JSON.parse(answer?.body ?? '') as Told
    if (told.target === target && told.subject === subject) return []
  } catch {
    // Said below.
  }
  return [`${target} was answered with ${what}`]
}

function show(value: unknown): string {
  return JSON.stringify(value)
}
