/** `/.portcullis/session`: who am I, for the page's own scripts. Looking does not keep a session alive. */
import { compileChain } from '../engine/chain.ts'
import { refuse } from '../engine/outcome.ts'
import type { Outcome, Verified } from '../engine/outcome.ts'
import { cookieValues } from '../engine/cookies.ts'
import { sessionCookieName } from '../engine/sessions/cookie.ts'
import type { SessionAuthenticator } from '../engine/authenticators/session/authenticator.ts'
import { jsonAnswer } from './answers.ts'
import type { LoginAnswer, LoginCall } from './call.ts'

export async function answerWho(
  authenticators: readonly SessionAuthenticator[],
  { request, origin }: LoginCall,
): Promise<LoginAnswer> {
  const name = sessionCookieName(origin)
  const values = cookieValues(request, name)
  const { challenges } = compileChain('any', authenticators)
  if (values.length > 1) return refuse('credential_repeated')
  const [value] = values
  if (value === undefined) return refuse('no_credential', { challenges: challenges.missing })
  let absent: Extract<Outcome, { outcome: 'absent' }> | undefined
  for (const each of authenticators) {
    const outcome = await each.look({ value, place: { kind: 'cookie', name } }, request)
    if (outcome.outcome === 'verified') return jsonAnswer(toldOf(outcome))
    if (outcome.outcome === 'rejected') {
      const { reason, retryAfter } = outcome
      return refuse(reason, {
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(reason === 'session_revoked' ? { challenges: challenges.missing } : {}),
      })
    }
    // Cleared only when none of them knows it.
    absent = absent === undefined || absent.fields !== undefined ? outcome : absent
  }
  return refuse(absent?.reason ?? 'no_credential', {
    challenges: challenges.missing,
    ...(absent?.fields === undefined ? {} : { fields: absent.fields }),
  })
}

function toldOf({ identity, credential }: Verified): object {
  const { issuer, subject, tenant, scopes, roles, method, claims } = identity
  const told = ['name', 'preferred_username', 'email', 'picture', 'auth_time', 'acr'].flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : []
  })
  return {
    id: credential.id,
    issuer,
    subject,
    ...(tenant === undefined ? {} : { tenant }),
    scopes,
    roles,
    method,
    ...Object.fromEntries(told),
    startedAt: new Date(credential.issuedAt ?? 0).toISOString(),
    expiresAt: new Date(credential.expiresAt).toISOString(),
    logout: '/.portcullis/logout',
  }
}
