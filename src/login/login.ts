/** The room put together: what its endpoints answer, how sessions are renewed, and how those that are over end. */
import type { SessionAuthenticator } from '../engine/authenticators/session/authenticator.ts'
import type { EndSession, RefreshSession } from '../engine/sessions/parts.ts'
import { answerBackChannel } from './back-channel.ts'
import { answerCallback } from './callback.ts'
import type { LoginAnswer, LoginCall } from './call.ts'
import type { LoginDependencies } from './dependencies.ts'
import { recordSession } from './events.ts'
import { answerLoggedOut, answerLogout, answerLogoutPage } from './logout.ts'
import { createRefresher } from './refresh.ts'
import { choicesOf } from './settings.ts'
import { answerLogin } from './start.ts'
import { answerWho } from './who.ts'

export interface Login {
  readonly refresh: RefreshSession
  readonly end: EndSession
  login(call: LoginCall): Promise<LoginAnswer>
  callback(call: LoginCall, provider: string): Promise<LoginAnswer>
  logoutPage(): Promise<LoginAnswer>
  logout(call: LoginCall): Promise<LoginAnswer>
  loggedOut(): LoginAnswer
  backChannel(call: LoginCall, provider: string): Promise<LoginAnswer>
  who(call: LoginCall, authenticators: readonly SessionAuthenticator[]): Promise<LoginAnswer>
  /** Whether anybody signs in at this provider. */
  knows(provider: string): boolean
}

export function createLogin(deps: LoginDependencies): Login {
  return {
    refresh: createRefresher(deps),
    end: async (record, why) => {
      for (const ended of await deps.sessions.store.end({ digest: record.digest }))
        recordSession(deps, ended, why === 'expired' ? { change: 'expired' } : { change: 'logout', how: why })
    },
    login: (call) => answerLogin(deps, call),
    callback: (call, provider) => answerCallback(deps, call, provider),
    logoutPage: () => answerLogoutPage(deps),
    logout: (call) => answerLogout(deps, call),
    loggedOut: () => answerLoggedOut(deps),
    backChannel: (call, provider) => answerBackChannel(deps, call, provider),
    who: (call, authenticators) => answerWho(authenticators, call),
    knows: (provider) => choicesOf(deps).some((each) => each.provider === provider),
  }
}
