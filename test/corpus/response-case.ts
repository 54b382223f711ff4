/** What a raw-byte case against the gateway's upstream side is, and short ways to write one. */

export interface ResponseCase {
  readonly name: string
  /** Of the request that it answers. */
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** The request asks for a WebSocket. */
  readonly asksUpgrade: boolean
  /** The upstream answers a POST before its body is whole. */
  readonly isEarly: boolean
  /** Latin-1. Several parts are sent with a pause between them. */
  readonly parts: readonly string[]
  /** What the upstream does behind its bytes. */
  readonly then: 'stays' | 'ends' | 'resets'
  /**
   * What the client gets: this answer; `refused`, 502; `cut`, an answer that is visibly not whole; `broken`, one of these two.
   */
  readonly client: Answer | 'refused' | 'cut' | 'broken'
  /** What becomes of the connection to the upstream. */
  readonly connection: 'kept' | 'closed' | 'either'
  /** Refusing it (502, closed) is just as good. */
  readonly orRefused: boolean
  /** Where the first data plane is known to be laxer, without harm: what differs there. */
  readonly node?: Partial<Pick<ResponseCase, 'client' | 'connection'>>
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/** Would be taken for the answer to somebody else's request, wherever it were read as an answer. */
export const smuggledAnswer: string = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled'

const usual = {
  method: 'GET',
  asksUpgrade: false,
  isEarly: false,
  then: 'stays',
  orRefused: false,
} as const satisfies Partial<ResponseCase>

type More = Partial<Omit<ResponseCase, 'name' | 'parts'>>

function entry(
  name: string,
  bytes: string | readonly string[],
  verdict: Pick<ResponseCase, 'client' | 'connection'>,
  more: More,
): ResponseCase {
  return { ...usual, ...verdict, ...more, name, parts: typeof bytes === 'string' ? [bytes] : bytes }
}

/** No answer at all: 502, and the connection is closed. */
export function bad(name: string, bytes: string | readonly string[], more: More = {}): ResponseCase {
  return entry(name, bytes, { client: 'refused', connection: 'closed' }, more)
}

/** Never whole: 502 if nothing had gone out, else cut. */
export function brokenAnswer(name: string, bytes: string | readonly string[], more: More = {}): ResponseCase {
  return entry(name, bytes, { client: 'broken', connection: 'closed' }, more)
}

/** A whole answer, and the connection serves on. */
export function good(
  name: string,
  bytes: string | readonly string[],
  answer: Answer,
  more: More = {},
): ResponseCase {
  return entry(name, bytes, { client: answer, connection: 'kept' }, more)
}

/** A whole answer, and the connection is closed: something was left over, or its end was the answer's. */
export function last(
  name: string,
  bytes: string | readonly string[],
  answer: Answer,
  more: More = {},
): ResponseCase {
  return entry(name, bytes, { client: answer, connection: 'closed' }, more)
}

/** @param lines field lines as one text, without the last line break */
export function response(lines: string, body = '', status = '200 OK', version = 'HTTP/1.1'): string {
  return `${version} ${status}\r\n${lines === '' ? '' : `${lines}\r\n`}\r\n${body}`
}

export function chunkedAnswer(body: string, lines = ''): string {
  return response(`${lines === '' ? '' : `${lines}\r\n`}Transfer-Encoding: chunked`, body)
}
