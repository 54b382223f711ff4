import { IncomingMessage } from 'node:http'
import { isNamed } from '../../engine/fields.ts'
import type { Refusal } from '../../engine/outcome.ts'
import type { Head } from '../head.ts'

/**
 * node:http builds an object of all headers for each request, only to look for `Expect`, and in HTTP/1.0 for `TE`. We read the
 * raw lines, so this one holds no more than what node:http asks for.
 */
export class Incoming extends IncomingMessage {
  /** The parser saw an upgrade, of whatever kind. */
  asksUpgrade = false
  /** What step 1 says of the head, where it was asked already. */
  verdict: Head | Refusal | undefined = undefined
}

Object.defineProperty(Incoming.prototype, 'headers', {
  configurable: true,
  get(this: IncomingMessage): Record<string, string> {
    return headersFor(this)
  },
})

const none: Record<string, string> = Object.freeze({})

function headersFor(message: IncomingMessage): Record<string, string> {
  const { rawHeaders } = message
  let found: Record<string, string> | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (isNamed(name, 'expect')) (found ??= {})['expect'] = rawHeaders[index + 1]!
  }
  return found ?? none
}
