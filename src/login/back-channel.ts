/** `/.portcullis/backchannel-logout/<provider>`: the provider itself tells that a user is gone. */
import { refuse } from '../engine/outcome.ts'
import { jsonAnswer } from './answers.ts'
import { isRefusal, parameterOf, type LoginAnswer, type LoginCall } from './call.ts'
import type { LoginDependencies } from './dependencies.ts'
import { recordSession } from './events.ts'
import { faultOf } from './fault.ts'
import { readLogoutToken } from './logout-token.ts'
import { sessionSettings } from './settings.ts'

/** @see OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8 */
export async function answerBackChannel(
  deps: LoginDependencies,
  { form, request, requestId }: LoginCall,
  provider: string,
): Promise<LoginAnswer> {
  const token = parameterOf(form, 'logout_token')
  if (isRefusal(token)) return token
  if (token === undefined) return refuse('logout_token_invalid', { detail: 'no `logout_token`' })
  const clients = sessionSettings(deps).flatMap(({ clients: each }) =>
    Object.hasOwn(each, provider) ? [each[provider]!.id] : [],
  )
  try {
    const logout = await readLogoutToken(token, {
      provider: deps.provider(provider),
      clock: deps.clock,
      clients,
    })
    const ended = await deps.sessions.store.endByLogoutToken(logout, deps.clock.now())
    if (ended === undefined) return refuse('logout_token_replayed')
    for (const record of ended)
      recordSession(deps, record, { change: 'logout', how: 'back-channel', request, requestId })
    return jsonAnswer({ ended: ended.length })
  } catch (error) {
    const { kind, detail } = faultOf(error)
    // The provider may tell it again later: a logout that could not be judged is not a bad one.
    return kind === 'away'
      ? refuse('login_unavailable', { detail, retryAfter: 5 })
      : refuse('logout_token_invalid', { detail })
  }
}
