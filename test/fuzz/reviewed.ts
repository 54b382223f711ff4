/** Where we read what an oracle does not, or otherwise, and that was looked at: each with its reason. */
import type { Input } from './reading.ts'

interface Reviewed {
  readonly oracles: readonly string[]
  readonly what: RegExp
  readonly holds: (input: Input) => boolean
  readonly reason: string
}

const reviewed: readonly Reviewed[] = [
  {
    oracles: ['strict reader'],
    what: /^it refuses: version HTTP\/1\.0$/,
    holds: ({ bytes }) => bytes.includes('HTTP/1.0'),
    reason: 'it knows HTTP/1.1 only: it reads what the gateway writes',
  },
  {
    oracles: ['strict reader'],
    what: /^it refuses: framing fields in a 204$/,
    holds: ({ side }) => side === 'response',
    reason: 'a 204 has no body whatever it says (RFC 9112, section 6.3); the field is dropped',
  },
  {
    oracles: ['strict reader'],
    what: /^it refuses: status line$/,
    holds: ({ bytes }) => /HTTP\/1\.[01] \d{3}\r\n/.test(bytes),
    reason: 'many servers leave out the space where they have no reason to tell',
  },
  {
    oracles: ['llhttp', 'node:http'],
    what: /^we keep a connection that it closes$/,
    holds: ({ bytes }) => /proxy-connection:/i.test(bytes),
    reason: 'it takes Proxy-Connection for Connection; no other reader does',
  },
]

/** @returns why the disagreement is none, or undefined when nobody knows */
export function known(oracle: string, what: string, input: Input): string | undefined {
  return reviewed.find((each) => each.oracles.includes(oracle) && each.what.test(what) && each.holds(input))
    ?.reason
}
