/** The tests' own strict reader, in the fuzzer's form. It knows requests of HTTP/1.1 and whole answers of HTTP/1.1 only. */
import { readRequest, readResponse } from '../harness/strict-reader.ts'
import type { Input, Message, Reading } from './reading.ts'

export function readStrictly(input: Input): Reading {
  const reading: Reading = { messages: [], open: undefined, state: 'idle', why: '' }
  for (let at = 0; at < input.bytes.length;) {
    const found =
      input.side === 'request'
        ? readRequest(input.bytes, at)
        : readResponse(input.bytes, at, input.method, input.isEnded)
    if (found.kind !== 'whole') {
      reading.state = found.kind === 'fault' ? 'refused' : 'partial'
      reading.why = found.kind === 'fault' ? found.why.replace(/ ".*/s, '') : ''
      return reading
    }
    const { message } = found
    const read: Message = {
      method: message.method,
      target: message.target,
      status: message.status,
      version: message.version.slice('HTTP/'.length),
      fields: message.fields.flat(),
      body: message.body,
      end: message.end,
      persists: true,
    }
    reading.messages.push(read)
    if (message.status >= 200 || message.status === 101) {
      reading.state = 'over'
      return reading
    }
    at = message.end
  }
  return reading
}
