/**
 * One attempt to log in, from the redirect out to the way back. It lives in a cookie of the browser that began it, sealed, so
 * that a stranger's callback finds nothing here (login CSRF) and beginning an attempt costs no memory.
 */
import { randomBytes } from 'node:crypto'
import type { GatewayRequest } from '../engine/request.ts'
import {
  attemptLifetime,
  clearCookie,
  loginCookieName,
  mostAttempts,
  setCookie,
  stateOfCookie,
} from '../engine/sessions/cookie.ts'
import type { Vault } from '../engine/sessions/vault.ts'

export interface Attempt {
  readonly state: string
  readonly nonce: string
  /** PKCE's. */
  readonly verifier: string
  readonly authenticator: string
  readonly provider: string
  readonly returnTo: string
  readonly startedAt: number
  /** The scopes that were asked for. */
  readonly scope: string
  /** The route that asks for a stronger or fresher login. */
  readonly stepUp?: string
}

/** All attempts of one browser together: its head must stay far below what servers take. Characters. */
const mostCharacters = 6_000

export function newSecret(bytes: 16 | 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** @returns `Set-Cookie` lines: the new attempt's, and one for each older one that must make room */
export async function keepAttempt(
  vault: Vault,
  attempt: Attempt,
  origin: string,
  request: GatewayRequest,
): Promise<string[]> {
  const sealed = await vault.seal(JSON.stringify(attempt), contextOf(origin, attempt.state))
  const value = Buffer.from(sealed).toString('base64url')
  const others = await openAll(vault, origin, request)
  let characters = value.length
  let left = mostAttempts - 1
  const dropped = others
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .filter(({ length }) => {
      characters += length
      left -= 1
      return left < 0 || characters > mostCharacters
    })
  return [
    setCookie(origin, loginCookieName(origin, attempt.state), value, attemptLifetime / 1000),
    ...dropped.map(({ name }) => clearCookie(origin, name)),
  ]
}

/** @returns this browser's attempt of that state; undefined when there is none, or several claim to be it */
export async function findAttempt(
  vault: Vault,
  state: string,
  origin: string,
  request: GatewayRequest,
): Promise<Attempt | undefined> {
  const name = loginCookieName(origin, state)
  const [found, ...more] = cookiesOf(request).filter((cookie) => cookie.name === name)
  return found === undefined || more.length > 0 ? undefined : open(vault, state, origin, found.value)
}

export function forgetAttempt(origin: string, state: string): string {
  return clearCookie(origin, loginCookieName(origin, state))
}

interface OpenAttempt {
  readonly name: string
  readonly length: number
  readonly startedAt: number
}

/** What does not open goes first. */
async function openAll(vault: Vault, origin: string, request: GatewayRequest): Promise<OpenAttempt[]> {
  const all: OpenAttempt[] = []
  for (const { name, value } of cookiesOf(request)) {
    const state = stateOfCookie(origin, name)
    if (state === undefined) continue
    const attempt = await open(vault, state, origin, value)
    all.push({ name, length: name.length + value.length, startedAt: attempt?.startedAt ?? 0 })
  }
  return all
}

async function open(
  vault: Vault,
  state: string,
  origin: string,
  value: string,
): Promise<Attempt | undefined> {
  if (!/^[\w-]{1,8192}$/.test(value)) return undefined
  const text = await vault.open(Buffer.from(value, 'base64url'), contextOf(origin, state))
  return text === undefined ? undefined : (JSON.parse(text) as Attempt)
}

function contextOf(origin: string, state: string): string {
  return `login ${origin} ${state}`
}

function cookiesOf(request: GatewayRequest): { readonly name: string; readonly value: string }[] {
  return request.values('cookie').flatMap((line) =>
    line.split(';').flatMap((piece) => {
      const equals = piece.indexOf('=')
      return equals === -1
        ? []
        : [{ name: piece.slice(0, equals).trim(), value: piece.slice(equals + 1).trim() }]
    }),
  )
}
