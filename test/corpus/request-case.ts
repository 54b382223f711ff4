/** What a raw-byte case against the gateway's client side is, and short ways to write one. */

/** A request as the upstream must see it. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly body: string
}

export interface RequestVerdict {
  /** Statuses of the answers, in order, interim ones aside. `refusal` is any that says whose fault it is: 400 to 499, 501, 505. */
  readonly answers: readonly (number | 'refusal')[]
  /** The whole requests that reach the upstream, in order, and no other. */
  readonly seen: readonly Seen[]
  /**
   * What becomes of the connection: the next request on it is answered; it is closed, with nothing behind the answers; either
   * of them; or the gateway waits for the rest, and gives up without a good answer when the client ends its side.
   */
  readonly then: 'open' | 'closed' | 'either' | 'unfinished'
  /** A part of a request may have gone on before its fault was seen, as long as it stays visibly unfinished. */
  readonly mayBegin: boolean
}

export interface RequestCase extends RequestVerdict {
  readonly name: string
  /** Latin-1. Several parts are sent with a pause between them. */
  readonly parts: readonly string[]
  /** Refusing it (400, closed, nothing passed on) is just as good, as long as that does not hang on how packets are cut. */
  readonly orRefused: boolean
  /** Where the first data plane is known to be laxer than the contract, without harm: its verdict there. */
  readonly node?: RequestVerdict
}

/** One technique, and who published it. */
export interface Family<Case> {
  readonly name: string
  readonly source: string
  readonly cases: readonly Case[]
}

export const host: string = 'gateway.test'
/** Who runs a case replaces it by a key of the same length. */
export const caseKey: string = 'corpus-key-00'
export const credential: string = `X-Api-Key: ${caseKey}`

/** Would be served, and would call itself somebody else, wherever it were read as a request. */
export const smuggled: string = `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n${credential}\r\nX-Auth-Subject: root\r\n\r\n`

export interface Parts {
  readonly method?: string
  readonly target?: string
  readonly version?: string
  /** Instead of the usual Host line, with its line break; empty: none. */
  readonly host?: string
}

/**
 * A request with these field lines behind its Host and its credential.
 *
 * @param lines as one text, without the last line break
 */
export function request(lines = '', body = '', parts: Parts = {}): string {
  const { method = 'GET', target = '/x', version = 'HTTP/1.1' } = parts
  const named = parts.host ?? `Host: ${host}\r\n`
  return `${method} ${target} ${version}\r\n${named}${credential}\r\n${lines === '' ? '' : `${lines}\r\n`}\r\n${body}`
}

export function post(lines: string, body = ''): string {
  return request(lines, body, { method: 'POST' })
}

/** A chunked body in a POST. */
export function chunks(body: string): string {
  return post('Transfer-Encoding: chunked', body)
}

/** A request whose own line is this. */
export function line(text: string): string {
  return `${text}\r\nHost: ${host}\r\n${credential}\r\n\r\n`
}

export const seen = (target = '/x', method = 'GET', body = ''): Seen => ({ method, target, body })

/** Refused at sight: nothing goes on. */
export function refused(
  name: string,
  bytes: string | readonly string[],
  status: number | 'refusal' = 400,
): RequestCase {
  return entry(name, bytes, { answers: [status], seen: [], then: 'closed', mayBegin: false })
}

/** Refused once its body shows the fault: what has gone on by then never becomes whole. */
export function broken(
  name: string,
  bytes: string | readonly string[],
  status: number | 'refusal' = 400,
): RequestCase {
  return entry(name, bytes, { answers: [status], seen: [], then: 'closed', mayBegin: true })
}

/** Passed on as these requests, each answered with 200. */
export function accepted(
  name: string,
  bytes: string | readonly string[],
  ...requests: readonly Seen[]
): RequestCase {
  return entry(name, bytes, {
    answers: requests.map(() => 200),
    seen: requests,
    then: 'open',
    mayBegin: false,
  })
}

/** Accepted or refused: what the contract leaves open. */
export function either(
  name: string,
  bytes: string | readonly string[],
  ...requests: readonly Seen[]
): RequestCase {
  return { ...accepted(name, bytes, ...requests), orRefused: true }
}

/** Has no end: the gateway waits, and never answers well. */
export function unfinished(name: string, bytes: string | readonly string[]): RequestCase {
  return entry(name, bytes, { answers: [], seen: [], then: 'unfinished', mayBegin: true })
}

/** A case with a verdict of its own. */
export function entry(
  name: string,
  bytes: string | readonly string[],
  verdict: Partial<RequestVerdict>,
): RequestCase {
  return {
    name,
    parts: typeof bytes === 'string' ? [bytes] : bytes,
    answers: [],
    seen: [],
    then: 'open',
    mayBegin: false,
    orRefused: false,
    ...verdict,
  }
}

/** The same, but the connection may close behind the last answer. */
export function closing(given: RequestCase, then: RequestVerdict['then'] = 'closed'): RequestCase {
  return { ...given, then }
}

/** Known of `dataPlane: node`: its parser takes this, as these requests. */
export function laxOnNode(
  given: RequestCase,
  requests: readonly Seen[],
  then: RequestVerdict['then'] = 'open',
): RequestCase {
  return {
    ...given,
    node: { answers: requests.map(() => 200), seen: requests, then, mayBegin: false },
  }
}

/** Many cases that differ in one text. */
export function each<T>(
  texts: readonly string[],
  what: (shown: string) => string,
  make: (name: string, text: string) => T,
): T[] {
  return texts.map((text) => make(what(JSON.stringify(text).slice(1, -1).slice(0, 60)), text))
}
