/** What a case expects of a server, and whether it got it. */
import { errors, flags, frameTypes, ping, type Frame, type FrameClient } from '../../support/http2-frames.ts'

/** Undefined: as it should be; otherwise what was there instead. */
export type Verdict = string | undefined
export type Expectation = (client: FrameClient) => Promise<Verdict>

export interface Case {
  /** Of RFC 9113, or of RFC 7541 where it begins with HPACK. */
  readonly section: string
  readonly name: string
  readonly send: (client: FrameClient) => void | Promise<void>
  readonly expect: Expectation
  /** Sends no preface by itself. */
  readonly isBare?: boolean
  /** First SETTINGS of the client. */
  readonly settings?: readonly (readonly [id: number, value: number])[]
  /** Why node:http2 does not do what the clause says. Nothing is lost by it, or nothing can be done about it. */
  readonly lax?: string
}

const patience = 1000

/** The connection ends, with one of these codes or without a word. */
export function connectionError(...codes: readonly number[]): Expectation {
  return async (client) => {
    await wait(() => isOver(client) || client.goaway !== undefined)
    const { goaway } = client
    if (goaway !== undefined && goaway.code !== errors.none)
      return codes.includes(goaway.code) || goaway.code === errors.internal ? undefined : told(client)
    return isOver(client) ? undefined : told(client)
  }
}

/** The stream is reset with one of these codes, or the connection ends. */
export function streamError(stream: number, ...codes: readonly number[]): Expectation {
  return async (client) => {
    const reset = (): number | undefined => client.stream(stream).reset
    await wait(() => reset() !== undefined || isOver(client) || client.goaway !== undefined)
    const code = reset()
    if (code !== undefined) return codes.includes(code) ? undefined : told(client)
    return connectionError(...codes)(client)
  }
}

/** The stream is answered with 200, to its end. */
export function answered(stream: number): Expectation {
  return async (client) => {
    await wait(() => client.stream(stream).isWhole || isOver(client))
    const { status, isWhole } = client.stream(stream)
    return status === 200 && isWhole ? undefined : told(client)
  }
}

/** The connection lives: a PING is answered, and nothing is said against anything. */
export function alive(): Expectation {
  return async (client) => {
    client.send(ping('in order'))
    const isAnswer = ({ type, flags: bits, payload }: Frame): boolean =>
      type === frameTypes.ping && (bits & flags.ack) !== 0 && payload.toString() === 'in order'
    await wait(() => client.frames.some(isAnswer) || isOver(client))
    return client.frames.some(isAnswer) && client.goaway === undefined ? undefined : told(client)
  }
}

/** One of them is met. */
export function either(...expectations: readonly Expectation[]): Expectation {
  return async (client) => {
    const verdicts = await Promise.all(expectations.map((each) => each(client)))
    return verdicts.includes(undefined) ? undefined : verdicts[0]
  }
}

/** Such a frame comes. */
export function frameOf(what: string, test: (each: Frame) => boolean): Expectation {
  return async (client) => {
    await wait(() => client.frames.some(test) || isOver(client))
    return client.frames.some(test) ? undefined : `no ${what}; ${told(client)}`
  }
}

function isOver(client: FrameClient): boolean {
  return client.isClosed || client.hasEnded
}

async function wait(isThere: () => boolean): Promise<void> {
  const deadline = performance.now() + patience
  while (!isThere() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
}

function told(client: FrameClient): string {
  const frames = client.frames.map(({ type, flags: bits, stream, payload }) => {
    const code = type === frameTypes.rstStream ? `(${String(payload.readUInt32BE(0))})` : ''
    return `${nameOf(type)}${code} ${String(bits)} on ${String(stream)}`
  })
  const goaway = client.goaway === undefined ? '' : `, GOAWAY ${String(client.goaway.code)}`
  return `${frames.join(', ')}${goaway}${isOver(client) ? ', closed' : ', open'}`
}

function nameOf(type: number): string {
  return Object.entries(frameTypes).find(([, value]) => value === type)?.[0] ?? String(type)
}
