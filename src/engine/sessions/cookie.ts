/**
 * The cookies of signing in. On https they carry the `__Host-` prefix, so that browsers take them from this host alone, over
 * TLS alone; on plain http (loopback, for development) the prefix and `Secure` cannot be had.
 *
 * @see RFC 6265bis, section 4.1.3
 */
import { createHash, randomBytes } from 'node:crypto'

const hostPrefix = '__Host-'
const sessionName = 'portcullis'
const loginName = 'portcullis-login-'

/** Attempts to log in that one browser may have open: as many tabs, no more. */
export const mostAttempts = 5
/** Milliseconds that an attempt may take. */
export const attemptLifetime = 600_000

export function sessionCookieName(origin: string): string {
  return prefixOf(origin) + sessionName
}

/** @param state the attempt's own `state`, of characters that a cookie's name may have */
export function loginCookieName(origin: string, state: string): string {
  return prefixOf(origin) + loginName + state
}

/** @returns the `state` that a login cookie of this origin is for; undefined for any other cookie */
export function stateOfCookie(origin: string, name: string): string | undefined {
  const start = prefixOf(origin) + loginName
  return name.startsWith(start) ? name.slice(start.length) : undefined
}

/** @param seconds how long the browser keeps it; without it, until it is closed @returns a `Set-Cookie` value */
export function setCookie(origin: string, name: string, value: string, seconds?: number): string {
  const secure = isSecure(origin) ? '; Secure' : ''
  const age = seconds === undefined ? '' : `; Max-Age=${seconds}`
  // Lax: the provider's redirect back is a navigation from another site, and must bring the cookie.
  return `${name}=${value}; Path=/${age}${secure}; HttpOnly; SameSite=Lax`
}

export function clearCookie(origin: string, name: string): string {
  return setCookie(origin, name, '', 0)
}

/** The value of a new session's cookie: 256 random bits. */
export function newCookieValue(): string {
  return randomBytes(32).toString('base64url')
}

const valueShape = /^[\w-]{43}$/

/** @returns the digest under which the store knows the session, hexadecimal; undefined for what is no cookie of ours */
export function digestOfCookie(value: string): string | undefined {
  return valueShape.test(value) ? createHash('sha256').update(value).digest('hex') : undefined
}

function prefixOf(origin: string): string {
  return isSecure(origin) ? hostPrefix : ''
}

function isSecure(origin: string): boolean {
  return !origin.startsWith('http:')
}
