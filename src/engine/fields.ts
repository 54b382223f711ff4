/**
 * Field lines and what of them belongs to one connection only. Shared by the rooms that read, propagate and forward,
 * so that there is one list of hop-by-hop names and one reading of `Connection`.
 */

/**
 * Names that never pass the gateway, in either direction, lower-case.
 * @see RFC 9110, section 7.6.1; RFC 9112, section 7.1.2 (`Trailer`); `Proxy-*` speak to the next hop alone (RFC 9110, section 11.7)
 */
export const hopByHopNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Names as clients, proxies and backends write them again and again: never pushed out of the memory by whoever invents others. */
const usual = [
  'Accept', 'Accept-Encoding', 'Accept-Language', 'Authorization', 'Cache-Control', 'Connection', 'Content-Encoding',
  'Content-Length', 'Content-Type', 'Cookie', 'DPoP', 'Date', 'ETag', 'Expect', 'Forwarded', 'Host', 'If-Match', 'If-Modified-Since',
  'If-None-Match', 'Keep-Alive', 'Last-Modified', 'Location', 'Origin', 'Pragma', 'Range', 'Referer', 'Sec-Fetch-Dest',
  'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Server', 'Set-Cookie', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'User-Agent', 'Vary',
  'Via', 'X-API-Key', 'X-Api-Key', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Request-Id', 'traceparent',
  'tracestate',
] // prettier-ignore

const lowerNames = new Map<string, string>(
  usual.flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, name.toLowerCase()]),
)
const mostNames = 2000
const longestName = 64

/** @returns the name in lower case; for names that were seen before without making a string */
export function lowerName(written: string): string {
  const known = lowerNames.get(written)
  if (known !== undefined) return known
  const lower = written.toLowerCase()
  if (lowerNames.size < mostNames && written.length <= longestName)
    lowerNames.set(ownText(written), ownText(lower))
  return lower
}

/** @returns the same text, which holds on to nothing: a part of a text may keep the whole of it in memory, such as a request's head */
export function ownText(text: string): string {
  // Nearly all of what comes over the wire: a byte for each character, and quick to compare.
  const own = Buffer.from(text, 'latin1').toString('latin1')
  return own === text ? own : Buffer.from(text, 'utf16le').toString('utf16le')
}

/**
 * @param fields field lines, flat: name, value, name, value …
 * @returns what the `Connection` fields name, lower-case; undefined when there is no `Connection` field
 */
export function connectionOptions(fields: readonly string[]): ReadonlySet<string> | undefined {
  let options: Set<string> | undefined
  for (let index = 0; index < fields.length; index += 2) {
    if (!isNamed(fields[index]!, 'connection')) {
      continue
    }
    options ??= new Set()
    for (const option of fields[index + 1]!.split(',')) {
      const name = withoutOws(option).toLowerCase()
      if (name !== '') {
        options.add(name)
      }
    }
  }
  return options
}

/**
 * @param fields field lines, flat
 * @returns the field lines without hop-by-hop ones and without those that `Connection` names
 */
export function withoutHopByHop(fields: readonly string[]): string[] {
  const named = connectionOptions(fields)
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase()
    if (!hopByHopNames.has(name) && named?.has(name) !== true) {
      kept.push(fields[index]!, fields[index + 1]!)
    }
  }
  return kept
}

/**
 * Optional white space is space and tab. `trim` also takes bytes such as 0xA0, which no other reader of a field does.
 *
 * @returns the text without it at its ends
 * @see RFC 9110, section 5.6.3
 */
export function withoutOws(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isOws(text, start)) start += 1
  while (end > start && isOws(text, end - 1)) end -= 1
  return text.slice(start, end)
}

function isOws(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 0x20 || code === 0x09
}

/** @returns whether a field name as written is the given lower-case one; no string is made */
export function isNamed(written: string, name: string): boolean {
  if (written.length !== name.length) return false
  if (written === name) return true
  for (let index = 0; index < name.length; index += 1) {
    const code = written.charCodeAt(index)
    const lower = code >= 0x41 && code <= 0x5a ? code + 0x20 : code
    if (lower !== name.charCodeAt(index)) return false
  }
  return true
}

const invalidValue = /[^\t\x20-\x7e\x80-\xff]/
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** @returns whether the name is a token (RFC 9110, section 5.6.2) */
export function isFieldName(name: string): boolean {
  return token.test(name)
}

/** @returns whether the value holds no line break, NUL or other control byte, and nothing outside Latin-1 (RFC 9110, section 5.5) */
export function isFieldValue(value: string): boolean {
  return !invalidValue.test(value)
}

/**
 * The form in which a careless backend may know a name: CGI, WSGI, PHP and others fold case and turn `-`, `_` and `.` into one
 * another, so `X_Auth.Subject` would arrive as the header that only the gateway may write.
 *
 * @returns the name in lower case, with `-` for every character that is no letter or digit
 */
export function canonicalName(name: string): string {
  let folded = ''
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)) folded += name[index]
    else if (code >= 0x41 && code <= 0x5a) folded += String.fromCharCode(code + 32)
    else folded += '-'
  }
  return folded
}
