/**
 * Reads `Cookie` fields the way that refuses to be clever: `;` always separates, a value is what stands after the first `=`.
 * A server that honours quotes or commas would see fewer cookies than we do, never more.
 *
 * @see RFC 6265, section 4.2.1
 */
import { canonicalName } from './fields.ts'
import type { GatewayRequest } from './request.ts'

/** @returns each value of the cookie in all `Cookie` fields, in order; names are compared exactly */
export function cookieValues(request: GatewayRequest, name: string): readonly string[] {
  const values: string[] = []
  for (const line of request.values('cookie')) {
    if (!line.includes(name)) continue
    for (const piece of line.split(';')) {
      const equals = piece.indexOf('=')
      if (equals !== -1 && trim(piece.slice(0, equals)) === name) values.push(trim(piece.slice(equals + 1)))
    }
  }
  return values
}

/** @returns the `Cookie` value without the cookies that go, otherwise byte by byte as it was; undefined when none is left */
export function withoutCookies(line: string, goes: (name: string) => boolean): string | undefined {
  let kept: string[] | undefined
  const pieces = line.split(';')
  for (let index = 0; index < pieces.length; index += 1) {
    const piece = pieces[index]!
    if (goes(nameOf(piece))) kept ??= pieces.slice(0, index)
    else kept?.push(piece)
  }
  if (kept === undefined) return line
  const rest = kept.join(';').trim()
  return rest === '' ? undefined : rest
}

/** @returns the name that a `Set-Cookie` value sets, as a browser will send it back */
export function setCookieName(line: string): string {
  const end = line.indexOf(';')
  return nameOf(end === -1 ? line : line.slice(0, end))
}

/** @returns whether only the gateway may set or read a cookie of this name, or of one that a backend could take for it */
export function isOwnCookie(name: string): boolean {
  const folded = canonicalName(name)
  return (
    folded === 'portcullis' ||
    folded.startsWith('portcullis-login-') ||
    folded.startsWith('--host-portcullis') ||
    folded.startsWith('--secure-portcullis')
  )
}

/** A cookie without a name (`=a=b`) or without `=` comes back as its bare text, and then `a` is the name that a server reads. */
function nameOf(piece: string): string {
  let from = 0
  while (from < piece.length && (isBlank(piece, from) || piece[from] === '=')) from += 1
  const equals = piece.indexOf('=', from)
  return trim(piece.slice(from, equals === -1 ? piece.length : equals))
}

function trim(text: string): string {
  let from = 0
  let end = text.length
  while (from < end && isBlank(text, from)) from += 1
  while (end > from && isBlank(text, end - 1)) end -= 1
  return from === 0 && end === text.length ? text : text.slice(from, end)
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 0x20 || code === 0x09
}
