/**
 * JSON without the leniency that lets two readers see two documents: no repeated member, no invalid UTF-8, no byte order
 * mark, no `__proto__`, bounded depth.
 */
import { isAscii } from 'node:buffer'

const maxDepth = 32

/** Fatal, and keeps a byte order mark, which JSON.parse then refuses. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @returns the object, or undefined when the bytes are anything but one strict JSON object
 * @see RFC 8259 section 4: what repeated names mean is unpredictable; RFC 7515 section 4 refuses them
 */
export function parseJsonObject(bytes: Buffer | Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = Buffer.isBuffer(bytes) && isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes)
    const value = text.includes('\\') ? parseEscaped(text) : (JSON.parse(text) as unknown)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    // Of a name that was written twice only one is left.
    return countMembers(value, 1) === countNames(text) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Of the private use area: begins the stand-ins for names that cannot be written without an escape. */
const mark = '\ue000'

/**
 * V8 may take an escaped name for another one, by the shape of a text that it parsed before (`"\u0062"` for `"\\"`, as of Node.js
 * 24 and 26). So it sees no escape in a name: those that can be written out are, and the others have a stand-in.
 *
 * @throws {SyntaxError} on what is no JSON
 */
function parseEscaped(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const standIns = new Map<string, string>()
  let plain = ''
  let end = 0
  let copied = 0
  for (let start = nextName(text, 0); start !== -1; start = nextName(text, end)) {
    end = endOfString(text, start)
    const quoted = text.slice(start, end)
    if (!quoted.includes('\\')) continue
    const name = JSON.parse(quoted) as string
    plain += text.slice(copied, start) + plainName(name, standIns)
    copied = end
  }
  if (copied === 0) return value
  if (text.includes(mark)) throw new SyntaxError('a name that looks like a stand-in')
  const again: unknown = JSON.parse(plain + text.slice(copied))
  const names = new Map([...standIns].map(([name, standIn]) => [standIn, name]))
  return names.size === 0 ? again : renamed(again, names)
}

function plainName(name: string, standIns: Map<string, string>): string {
  const written = JSON.stringify(name)
  if (name.includes(mark)) throw new SyntaxError('a name that looks like a stand-in')
  if (!written.includes('\\')) return written
  const standIn = standIns.get(name) ?? `${mark}${standIns.size}`
  standIns.set(name, standIn)
  return `"${standIn}"`
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element) => renamed(element, names))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [names.get(name) ?? name, renamed(member, names)]),
  )
}

/** @returns how many members the value has in all; NaN where it is too deep or has a member that nobody may have */
function countMembers(value: object, depth: number): number {
  if (depth > maxDepth) return Number.NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[])
      if (typeof element === 'object' && element !== null) count += countMembers(element, depth + 1)
    return count
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') return Number.NaN
    count += 1
    const member = (value as Readonly<Record<string, unknown>>)[name]
    if (typeof member === 'object' && member !== null) count += countMembers(member, depth + 1)
  }
  return count
}

const colon = 0x3a
const backslash = 0x5c

function countNames(text: string): number {
  let count = 0
  for (let name = nextName(text, 0); name !== -1; name = nextName(text, endOfString(text, name))) count += 1
  return count
}

/** @returns where the next name of a text that is known to be JSON begins, which is a string that a colon follows; or -1 */
function nextName(text: string, from: number): number {
  let start = text.indexOf('"', from)
  while (start !== -1) {
    const at = afterSpace(text, endOfString(text, start))
    if (text.charCodeAt(at) === colon) return start
    start = text.indexOf('"', at)
  }
  return -1
}

/** Behind its closing quote. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote + 1
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === backslash) before -= 1
  return (at - before) % 2 === 0
}

/** @see RFC 8259 section 2 */
function afterSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
    at += 1
  }
}
