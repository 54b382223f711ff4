/**
 * JSON without the leniency that lets two readers see two documents: no repeated member, no invalid UTF-8, no byte order
 * mark, no `__proto__`, bounded depth.
 */

const maxDepth = 32

/** Fatal, and keeps a byte order mark, which JSON.parse then refuses. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @returns the object, or undefined when the bytes are anything but one strict JSON object
 * @see RFC 8259 section 4: what repeated names mean is unpredictable; RFC 7515 section 4 refuses them
 */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let text: string
  let value: unknown
  try {
    text = utf8.decode(bytes)
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return isUnambiguous(text) ? (value as Record<string, unknown>) : undefined
}

/** Walks text that is known to be JSON; only names, nesting and the ends of strings matter. */
function isUnambiguous(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let expectsName = false
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charAt(at)) {
      case '{':
        open.push(new Set())
        expectsName = true
        break
      case '[':
        open.push(undefined)
        expectsName = false
        break
      case '}':
      case ']':
        open.pop()
        expectsName = false
        break
      case ',':
        expectsName = open.at(-1) !== undefined
        break
      case '"': {
        const end = endOfString(text, at)
        if (expectsName && !addName(open.at(-1), text.slice(at, end + 1))) return false
        expectsName = false
        at = end
        break
      }
      default:
    }
    if (open.length > maxDepth) return false
  }
  return true
}

/** Names are compared as they read: `"\u0061lg"` is `alg`. */
function addName(names: Set<string> | undefined, quoted: string): boolean {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (names === undefined || name === '__proto__' || names.has(name)) return false
  names.add(name)
  return true
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
