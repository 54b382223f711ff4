/**
 * Who may use the admin API. Loopback alone is no protection: any web page that the operator has open can send requests
 * there, and a name of its own that it lets point to 127.0.0.1 makes it the same origin (DNS rebinding).
 */
import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { isSameSecret } from '../engine/constant-time.ts'
import type { Secret } from '../engine/secret.ts'
import type { FailureLimiter } from './failures.ts'
import { AdminProblem } from './problem.ts'

export interface GuardSettings {
  /** The address that the server is bound to. */
  readonly host: string
  /** Asked for each request: a reload changes it. */
  readonly token: () => Secret | undefined
  readonly failures: FailureLimiter
}

export interface Guard {
  /** For what needs no token. @throws AdminProblem */
  admitOpen(request: FastifyRequest): void
  /** For the API. @throws AdminProblem */
  admitOperator(request: FastifyRequest): void
}

const challenge = { 'www-authenticate': 'Bearer realm="portcullis-admin"' } as const
const wrongChallenge = {
  'www-authenticate': 'Bearer realm="portcullis-admin", error="invalid_token"',
} as const

export function createGuard({ host, token, failures }: GuardSettings): Guard {
  const isPrivate = isLoopback(host)

  function checkHost(request: FastifyRequest): void {
    const name = hostOf(request.headers.host)
    if (!isLoopback(name) && name !== host.toLowerCase()) throw new AdminProblem('misdirected')
  }

  function checkToken(request: FastifyRequest, expected: Secret): void {
    const wait = failures.waitFor(request.ip)
    if (wait > 0) throw new AdminProblem('rate_limited', { fields: { 'retry-after': String(wait) } })
    const { authorization } = request.headers
    if (authorization === undefined) throw new AdminProblem('credential_missing', { fields: challenge })
    const presented = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1]
    if (presented !== undefined && isSameSecret(presented, expected.reveal())) return
    failures.failed(request.ip)
    throw new AdminProblem('credential_invalid', { fields: wrongChallenge })
  }

  return {
    // Off loopback probes and scrapers come by any name; on loopback no name but our own can be meant.
    admitOpen: (request) => {
      if (isPrivate) checkHost(request)
    },
    admitOperator: (request) => {
      const expected = token()
      if (expected === undefined || !isPrivate) throw new AdminProblem('api_disabled')
      checkHost(request)
      checkOrigin(request)
      checkToken(request, expected)
    },
  }
}

/** @returns whether the API exists at all: with a token, and where nobody can listen in */
export function isApiEnabled(host: string, token: Secret | undefined): boolean {
  return token !== undefined && isLoopback(host)
}

/** @see https://www.w3.org/TR/fetch-metadata/ */
function checkOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const { origin, host } = request.headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new AdminProblem('forbidden')
  if (origin !== undefined && origin !== `${request.protocol}://${host ?? ''}`)
    throw new AdminProblem('forbidden')
}

function hostOf(header: string | undefined): string {
  const name = (header ?? '').toLowerCase().replace(/:\d*$/, '')
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  if (name === 'localhost' || name === '::1' || name === '0:0:0:0:0:0:0:1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}
