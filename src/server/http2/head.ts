/**
 * Step 1 for HTTP/2. nghttp2 has seen to the order and the number of pseudo-fields; here they become what the head of an HTTP/1.1
 * request would say, and from there on the rules are the same.
 */
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { FieldLines } from '../../exchange.ts'
import { inspectHead, type HeadBounds } from '../head.ts'

/** An accepted head. */
export interface Http2Head {
  readonly method: string
  /** Origin form, as sent. */
  readonly target: string
  /** `host` first, made from `:authority`; cookies as one line. */
  readonly fields: FieldLines
  readonly contentLength: number | undefined
  readonly expectsContinue: boolean
}

/** What was read of a head before it was refused. */
export interface RefusedHead {
  readonly refusal: Refusal
  readonly method: string
  readonly target: string
  readonly fields: FieldLines
}

/**
 * @param lines pseudo-fields and fields, flat, as they came
 * @see RFC 9113, section 8
 */
export function readHead(lines: FieldLines, bounds: HeadBounds): Http2Head | RefusedHead {
  const reader = new Reader(lines)
  const { method, path: target } = reader
  const refusal = reader.fault()
  if (refusal !== undefined) return { refusal, method, target, fields: reader.rest }
  const fields = reader.fields()
  const head = inspectHead({ method, target, version: '1.1', fields }, bounds, noNames)
  if ('reason' in head) return { refusal: head, method, target, fields }
  return {
    method,
    target,
    fields,
    contentLength: head.contentLength,
    expectsContinue: head.expectsContinue,
  }
}

/** What `Connection` may not name: there is no such field here. */
const noNames: ReadonlySet<string> = new Set()

/** They speak of one connection, and HTTP/2 has other means for that: in HTTP/1.1 they would frame the message anew. */
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

// nghttp2 leaves out what these do not match, without a word: nothing of it goes on. What it lets through is looked at again.
const nameForm = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const valueForm = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

/** One pass over the lines. */
class Reader {
  method = ''
  path = ''
  /** What is no pseudo-field, `host` and cookies left out. */
  readonly rest: string[] = []
  #scheme: string | undefined = undefined
  #authority: string | undefined = undefined
  #hosts = 0
  #host = ''
  #cookie: string | undefined = undefined
  #fault: string | undefined = undefined

  constructor(lines: FieldLines) {
    for (let index = 0; index < lines.length; index += 2) {
      const name = lines[index]!
      if (name.charCodeAt(0) === 0x3a) this.#seePseudo(name, lines[index + 1]!)
      else this.#see(name, lines[index + 1]!)
    }
  }

  #seePseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        this.method = value
        break
      case ':path':
        this.path = value
        break
      case ':scheme':
        this.#scheme = value
        break
      case ':authority':
        this.#authority = value
        break
      default:
        this.#fault ??= 'an unknown pseudo-field'
    }
  }

  #see(name: string, value: string): void {
    if (!nameForm.test(name) || !valueForm.test(value)) this.#fault ??= 'a malformed field'
    else if (connectionSpecific.has(name)) this.#fault ??= `${name} in HTTP/2`
    else if (name === 'te' && value !== 'trailers') this.#fault ??= 'te in HTTP/2'
    else if (name === 'host') {
      this.#hosts += 1
      this.#host = value
    } else if (name === 'cookie')
      this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`
    else this.rest.push(name, value)
  }

  fault(): Refusal | undefined {
    if (this.#fault !== undefined) return refuse('malformed_head', { detail: this.#fault })
    if (this.method === 'CONNECT') return refuse('method_invalid', { detail: 'CONNECT' })
    if (this.#scheme !== 'https' && this.#scheme !== 'http')
      return refuse('malformed_head', { detail: 'a scheme other than http and https' })
    if (!this.path.startsWith('/')) return refuse('target_invalid')
    return this.#hostFault()
  }

  /** Who reads `:authority` and who reads `Host` must route to the same place: RFC 9113, section 8.3.1. */
  #hostFault(): Refusal | undefined {
    if (this.#hosts > 1) return refuse('host_invalid', { detail: 'repeated Host' })
    if (this.#authority === undefined)
      return this.#hosts === 0 ? refuse('host_invalid', { detail: 'no :authority' }) : undefined
    return this.#hosts === 1 && this.#host.toLowerCase() !== this.#authority.toLowerCase()
      ? refuse('host_invalid', { detail: ':authority and Host differ' })
      : undefined
  }

  /** @see RFC 9113, section 8.2.3, for cookies */
  fields(): FieldLines {
    const fields = ['host', this.#authority ?? this.#host, ...this.rest]
    if (this.#cookie !== undefined) fields.push('cookie', this.#cookie)
    return fields
  }
}
