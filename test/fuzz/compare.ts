/** Sorts what two readers made of the same bytes. Ours may refuse what another accepts, never the other way round. */
import type { Input, Message, Reading } from './reading.ts'

export interface Verdict {
  /**
   * `same`; `stricter`: we refuse, it accepts; `waiting`: it refuses something that we have not taken yet, nor passed on;
   * `looser`: we accept what it refuses, or read it differently.
   */
  readonly kind: 'same' | 'stricter' | 'waiting' | 'looser'
  /** In a few words, the same for all cases of one cause. */
  readonly what: string
}

const keeps = 'we keep a connection that it closes'

const same: Verdict = { kind: 'same', what: '' }

export function compare(ours: Reading, theirs: Reading): Verdict {
  for (const [index, message] of ours.messages.entries()) {
    const other = theirs.messages[index]
    if (other === undefined) {
      if (theirs.why === 'HPE_CLOSED_CONNECTION') return looser(keeps)
      return looser(theirs.state === 'refused' ? `it refuses: ${theirs.why}` : 'it does not see the end')
    }
    const difference = differenceOf(message, other)
    if (difference !== undefined) return looser(difference)
  }
  const count = ours.messages.length
  if (ours.open !== undefined) return compareOpen(ours, theirs, count)
  if (ours.state === 'refused')
    return theirs.messages.length > count || (theirs.state !== 'refused' && theirs.state !== 'over')
      ? { kind: 'stricter', what: ours.why }
      : same
  if (ours.state !== 'over' && theirs.state === 'refused') return { kind: 'waiting', what: theirs.why }
  return same
}

/** We have taken a head, and its body is not over. */
function compareOpen(ours: Reading, theirs: Reading, index: number): Verdict {
  const message = ours.open!
  const other = theirs.messages[index] ?? theirs.open
  if (other === undefined) {
    if (theirs.why === 'HPE_CLOSED_CONNECTION') return looser(keeps)
    return looser(`it refuses the head: ${theirs.why}`)
  }
  const isRefused = ours.state === 'refused'
  // What is refused within its body ends the connection whatever its head said.
  const persists = message.persists && !isRefused
  const difference = differenceOf({ ...message, body: '', end: 0, persists }, { ...other, body: '', end: 0 })
  if (difference !== undefined) return looser(difference)
  if (!other.body.startsWith(message.body)) return looser('we take bytes for a body that it does not')
  if (theirs.messages.length > index) {
    if (isRefused) return { kind: 'stricter', what: ours.why }
    return looser('it sees an end where we see none')
  }
  if (isRefused) return theirs.state === 'refused' ? same : { kind: 'stricter', what: ours.why }
  return theirs.state === 'refused' ? { kind: 'waiting', what: theirs.why } : same
}

function differenceOf(one: Message, other: Message): string | undefined {
  if (one.method !== other.method) return 'another method'
  if (one.target !== other.target) return 'another target'
  if (one.status !== other.status) return 'another status'
  if (one.version !== other.version) return 'another version'
  if (one.fields.join('\n') !== other.fields.join('\n')) return 'other fields'
  if (one.body !== other.body) return 'another body'
  if (one.end !== other.end) return 'another end'
  // To close one that may stay does no harm.
  return one.persists && !other.persists ? keeps : undefined
}

function looser(what: string): Verdict {
  return { kind: 'looser', what }
}

/** @returns whether two readings are one: for the same bytes in other pieces */
export function isSame(one: Reading, other: Reading): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** Looks at an input while it is made smaller. */
const mostLooks = 3000

/** Removes bytes for as long as the input stays interesting. */
export function minimise(input: Input, isInteresting: (input: Input) => boolean): Input {
  let best = input
  let looks = 0
  const accept = (bytes: string): boolean => {
    const next = { ...best, bytes }
    looks += 1
    if (looks > mostLooks || !isInteresting(next)) return false
    best = next
    return true
  }
  for (let size = Math.ceil(best.bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.bytes.length;) {
      if (!accept(best.bytes.slice(0, at) + best.bytes.slice(at + size))) at += size
    }
  }
  return best
}
