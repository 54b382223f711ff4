/**
 * Step 1 of a request's way: what a request head must be before anything else looks at it. Knows no socket and no parser,
 * so that every data plane holds to the same rules; what the parser below refuses by itself need not come here.
 */
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { FieldLines } from '../exchange.ts'
import { connectionFault, hasOption } from './connection-field.ts'
import { isHostPort } from './host.ts'
import { originForm } from './target.ts'

export interface RawHead {
  readonly method: string
  readonly target: string
  /** As in the request line, without `HTTP/`. */
  readonly version: string
  readonly fields: FieldLines
}

export interface HeadBounds {
  /** Bytes of the whole head. */
  readonly headers: number
  readonly headerCount: number
}

/** An accepted head. */
export interface Head {
  /** Origin form, as sent. */
  readonly target: string
  readonly version: '1.0' | '1.1'
  /** False only in HTTP/1.0. */
  readonly hasHost: boolean
  readonly hasBody: boolean
  /** Undefined when nothing was declared. */
  readonly contentLength: number | undefined
  readonly expectsContinue: boolean
  /** An upgrade of the one kind that passes: see `ServerRequest.isUpgrade`. */
  readonly isWebSocket: boolean
  /** Any upgrade is asked for: declined ones end the connection, since the client may speak another language already. */
  readonly asksUpgrade: boolean
  /** The client will send another request on the connection: by default in HTTP/1.1, on its word in HTTP/1.0. */
  readonly persists: boolean
}

/**
 * @param identityNames names, as `protectedForm` writes them, that `Connection` may not name beside the fixed ones
 * @returns the head, or why it is refused; the connection must then close
 * @see RFC 9112
 */
export function inspectHead(
  raw: RawHead,
  bounds: HeadBounds,
  identityNames: ReadonlySet<string>,
): Head | Refusal {
  const scan = new Scan(raw, bounds.headerCount)
  return scan.tooLarge(bounds) ?? scan.fault(identityNames) ?? scan.head()
}

/** The gateway's methods, for `Allow` where the method is refused whatever the resource. */
const served = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const methodForm = /^[A-Z][A-Z-]{0,19}$/
// More digits than this could not be counted exactly.
const lengthForm = /^\d{1,15}$/
/** Names that a backend might fold into a framing field when it maps header names to variables (CGI, WSGI). */
const disguised = /^(?:content[^a-z0-9]length|transfer[^a-z0-9]encoding)$/i

/** One pass over the field lines; only names of an interesting length are looked at. */
class Scan {
  readonly #raw: RawHead
  #target = ''
  #size: number
  #hosts = 0
  #host = ''
  #lengths = 0
  #length = ''
  #codings = 0
  #coding = ''
  #connection: string | undefined = undefined
  #expects = 0
  #expect = ''
  #upgrades = 0
  #upgrade = ''
  #webSocketVersion = ''
  #isDisguised = false

  constructor(raw: RawHead, count: number) {
    this.#raw = raw
    // The request line's two spaces, `HTTP/`, its line break, and the empty line at the end.
    this.#size = raw.method.length + raw.target.length + raw.version.length + 11
    const { fields } = raw
    // One line more than allowed is enough to refuse.
    const end = Math.min(fields.length, (count + 1) * 2)
    for (let index = 0; index < end; index += 2) this.#see(fields[index]!, fields[index + 1]!)
  }

  #see(name: string, value: string): void {
    this.#size += name.length + value.length + 4
    switch (name.length) {
      case 4:
        if (name === 'Host' || name === 'host' || name.toLowerCase() === 'host') {
          this.#hosts += 1
          this.#host = value
        }
        break
      case 6:
        if (name.toLowerCase() === 'expect') {
          this.#expects += 1
          this.#expect = value
        }
        break
      case 7:
        if (name.toLowerCase() === 'upgrade') {
          this.#upgrades += 1
          this.#upgrade = value
        }
        break
      case 10:
        if (name.toLowerCase() === 'connection')
          this.#connection = this.#connection === undefined ? value : `${this.#connection},${value}`
        break
      case 14:
        this.#seeLength(name, value)
        break
      case 17:
        this.#seeCoding(name, value)
        break
      case 21:
        if (name.toLowerCase() === 'sec-websocket-version') this.#webSocketVersion += value
        break
    }
  }

  #seeLength(name: string, value: string): void {
    if (name.toLowerCase() === 'content-length') {
      this.#lengths += 1
      this.#length = value
    } else if (disguised.test(name)) this.#isDisguised = true
  }

  #seeCoding(name: string, value: string): void {
    if (name.toLowerCase() === 'transfer-encoding') {
      this.#codings += 1
      this.#coding = value
    } else if (disguised.test(name)) this.#isDisguised = true
  }

  tooLarge(bounds: HeadBounds): Refusal | undefined {
    const { target, fields } = this.#raw
    if (target.length > bounds.headers) return refuse('uri_too_long')
    if (fields.length > bounds.headerCount * 2)
      return refuse('headers_too_large', { detail: 'too many field lines' })
    return this.#size > bounds.headers ? refuse('headers_too_large') : undefined
  }

  fault(identityNames: ReadonlySet<string>): Refusal | undefined {
    return (
      this.#lineFault() ??
      this.#framingFault() ??
      this.#hostFault() ??
      (this.#connection === undefined ? undefined : connectionFault(this.#connection, identityNames)) ??
      this.#targetFault() ??
      this.#expectFault()
    )
  }

  #lineFault(): Refusal | undefined {
    const { method, version } = this.#raw
    if (version !== '1.1' && version !== '1.0')
      return refuse('malformed_head', { detail: 'unknown HTTP version' })
    if (method === 'GET' || method === 'POST') return undefined
    if (method === 'TRACE') return refuse('trace_refused', { allow: served })
    return method === 'CONNECT' || !methodForm.test(method) ? refuse('method_invalid') : undefined
  }

  /** @see RFC 9112, section 6.3: where two readers may differ about the end of a message, none may see it. */
  #framingFault(): Refusal | undefined {
    if (this.#isDisguised) return ambiguous('a disguised framing field')
    if (this.#codings > 0) {
      if (this.#lengths > 0) return ambiguous('both Content-Length and Transfer-Encoding')
      if (this.#codings > 1 || this.#coding.toLowerCase() !== 'chunked') return ambiguous('Transfer-Encoding')
      return this.#raw.version === '1.0' ? ambiguous('Transfer-Encoding in HTTP/1.0') : undefined
    }
    if (this.#lengths === 0) return undefined
    return this.#lengths > 1 || !lengthForm.test(this.#length) ? ambiguous('Content-Length') : undefined
  }

  #hostFault(): Refusal | undefined {
    if (this.#hosts === 0)
      return this.#raw.version === '1.0' ? undefined : refuse('host_invalid', { detail: 'no Host' })
    if (this.#hosts > 1) return refuse('host_invalid', { detail: 'repeated Host' })
    return isHostPort(this.#host) ? undefined : refuse('host_invalid')
  }

  #targetFault(): Refusal | undefined {
    const target = originForm(this.#raw.target, this.#host)
    if (target === undefined) return refuse('target_invalid')
    this.#target = target
    return undefined
  }

  /** HTTP/1.0 knows no expectations: RFC 9110, section 10.1.1. */
  #expectFault(): Refusal | undefined {
    if (this.#expects === 0 || this.#raw.version === '1.0') return undefined
    return this.#expects > 1 || this.#expect.toLowerCase() !== '100-continue'
      ? refuse('malformed_head', { detail: 'unknown expectation' })
      : undefined
  }

  head(): Head {
    const isNewer = this.#raw.version === '1.1'
    const length = this.#lengths === 0 ? undefined : Number(this.#length)
    const hasBody = this.#codings > 0 || (length !== undefined && length > 0)
    return {
      target: this.#target,
      version: isNewer ? '1.1' : '1.0',
      hasHost: this.#hosts === 1,
      hasBody,
      contentLength: length,
      expectsContinue: isNewer && this.#expects > 0,
      isWebSocket: this.#upgrades === 1 && isNewer && !hasBody && this.#asksWebSocket(),
      asksUpgrade:
        this.#upgrades > 0 && this.#connection !== undefined && hasOption(this.#connection, 'upgrade'),
      persists: this.#persists(isNewer),
    }
  }

  /** @see RFC 9112, section 9.3 */
  #persists(isNewer: boolean): boolean {
    const connection = this.#connection
    if (connection === undefined || connection === 'keep-alive') return isNewer || connection !== undefined
    return !hasOption(connection, 'close') && (isNewer || hasOption(connection, 'keep-alive'))
  }

  /** @see RFC 6455, section 4.1 */
  #asksWebSocket(): boolean {
    return (
      this.#raw.method === 'GET' &&
      this.#upgrade.toLowerCase() === 'websocket' &&
      this.#webSocketVersion === '13' &&
      this.#connection !== undefined &&
      hasOption(this.#connection, 'upgrade')
    )
  }
}

function ambiguous(detail: string): Refusal {
  return refuse('framing_ambiguous', { detail })
}
