/**
 * Takes an upstream's `100 Continue` out of the bytes before the parser sees them: undici drops the connection on one,
 * and a gateway that answers 100 itself has no use for it. Other interim answers stay. Also remembers the version of the
 * final status line, which undici does not tell (`RTSP/1.0` and `HTTP/2.0` would pass as answers, and a 1.0 answer may
 * not be chunked).
 * @see RFC 9110, section 15.2; RFC 9112, section 4
 */

/** Interim heads are a few hundred bytes; more is nothing to hold back for. */
const largestInterim = 16 * 1024
const statusLineStart = 12

export class InterimFilter {
  #isExpecting = false
  #held: Buffer | undefined
  #version: '1.0' | '1.1' | undefined

  /** The version of the last status line; undefined before one was seen and for bytes that are none. */
  get version(): '1.0' | '1.1' | undefined {
    return this.#version
  }

  /** A request was sent: the next bytes are the start of a response. */
  expect(): void {
    this.#isExpecting = true
    this.#held = undefined
    this.#version = undefined
  }

  /** @returns what the parser is to read; undefined when all of it was held back or dropped */
  push(chunk: Buffer): Buffer | undefined {
    if (!this.#isExpecting) {
      return chunk
    }
    let rest = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = undefined
    const passed: Buffer[] = []
    while (rest.length > 0 && this.#isExpecting) {
      const end = this.#endOfInterim(rest)
      if (end === undefined) {
        this.#held = rest
        return joined(passed)
      }
      if (end > 0 && !isContinue(rest)) {
        passed.push(rest.subarray(0, end))
      }
      rest = rest.subarray(end)
    }
    passed.push(rest)
    return joined(passed)
  }

  /** @returns the length of the interim head that the bytes begin with; 0 when they begin with anything else (and the watch is over); undefined when that is not known yet */
  #endOfInterim(bytes: Buffer): number | undefined {
    const start = bytes.toString('latin1', 0, statusLineStart)
    if (start.length < statusLineStart && couldBeStatusLine(start)) {
      return undefined
    }
    const isInterim = /^HTTP\/1\.[01] 1\d\d$/.test(start) && !start.endsWith('101')
    const end = isInterim ? bytes.indexOf('\r\n\r\n') : -1
    if (end !== -1) {
      return end + 4
    }
    // Without the proper end of a head in sight it is the parser's to refuse, rather than ours to hoard.
    if (isInterim && bytes.length < largestInterim && !bytes.includes('\n\n')) {
      return undefined
    }
    this.#isExpecting = false
    this.#version = start.startsWith('HTTP/1.1 ') ? '1.1' : start.startsWith('HTTP/1.0 ') ? '1.0' : undefined
    return 0
  }
}

function couldBeStatusLine(start: string): boolean {
  return 'HTTP/1.'.startsWith(start.slice(0, 7))
}

function isContinue(head: Buffer): boolean {
  return head.toString('latin1', 9, statusLineStart) === '100'
}

function joined(parts: readonly Buffer[]): Buffer | undefined {
  if (parts.length > 1) {
    return Buffer.concat(parts)
  }
  return parts[0] === undefined || parts[0].length === 0 ? undefined : parts[0]
}
