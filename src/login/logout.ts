/** `/.portcullis/logout`: ends the session here, on every host that shares the provider's session, and at the provider. */
import { cookieValues } from '../engine/cookies.ts'
import { checkRequestOrigin } from '../engine/origin.ts'
import { openContent, type SessionContent } from '../engine/sessions/content.ts'
import { clearCookie, digestOfCookie, sessionCookieName } from '../engine/sessions/cookie.ts'
import type { SessionRecord } from '../ports/sessions.ts'
import { pageAnswer, redirectTo } from './answers.ts'
import type { LoginAnswer, LoginCall } from './call.ts'
import type { LoginDependencies } from './dependencies.ts'
import { recordSession } from './events.ts'
import { faultOf } from './fault.ts'
import { loggedOutPage, logoutPage } from './pages.ts'
import { revokeTokens } from './revoke.ts'
import { choiceOf, choicesOf, partyOf, type Choice } from './settings.ts'

const loggedOut = '/.portcullis/logged-out'

/** A link from another page shows only a button: who follows it is not logged out by that. */
export async function answerLogoutPage(deps: LoginDependencies): Promise<LoginAnswer> {
  return pageAnswer(logoutPage(deps), { formTargets: await endSessionOrigins(deps) })
}

export function answerLoggedOut(deps: LoginDependencies): LoginAnswer {
  return pageAnswer(loggedOutPage(deps))
}

export async function answerLogout(deps: LoginDependencies, call: LoginCall): Promise<LoginAnswer> {
  const { request, origin } = call
  const name = sessionCookieName(origin)
  const refusal = checkRequestOrigin({
    place: { kind: 'cookie', name },
    request,
    isUpgrade: false,
    ownOrigin: origin,
    isSession: true,
  })
  if (refusal !== undefined) return refusal
  const own: SessionRecord[] = []
  for (const value of cookieValues(request, name)) {
    const digest = digestOfCookie(value)
    const record = digest === undefined ? undefined : await deps.sessions.store.find(digest)
    if (record !== undefined && record.origin === origin) own.push(record)
  }
  // Here first: whatever becomes of the rest, the cookie in this browser is worth nothing from now on.
  const ended = (await Promise.all(own.map((record) => endEverywhere(deps, record)))).flat()
  for (const record of ended)
    recordSession(deps, record, { change: 'logout', how: 'by the user', request, requestId: call.requestId })
  const location = (await leaveProvider(deps, origin, own[0], ended)) ?? loggedOut
  const answer = redirectTo(location, [clearCookie(origin, name)], 303)
  // What was shown while signed in must not come back by the browser's back button.
  return { ...answer, fields: [...answer.fields, 'Clear-Site-Data', '"cache"'] }
}

async function endEverywhere(
  deps: LoginDependencies,
  record: SessionRecord,
): Promise<readonly SessionRecord[]> {
  const { store } = deps.sessions
  const { digest, sid, issuer, provider } = record
  const here = await store.end({ digest })
  if (sid === undefined) return here
  const issuers = deps.provider(provider).profile.sameIssuers(issuer)
  return [...here, ...(await store.end({ issuers, sid }))]
}

/** @returns where the browser goes on to; undefined where the provider cannot be told through it */
async function leaveProvider(
  deps: LoginDependencies,
  origin: string,
  own: SessionRecord | undefined,
  ended: readonly SessionRecord[],
): Promise<string | undefined> {
  const opened = await Promise.all(ended.map((record) => reopen(deps, record)))
  await Promise.all(
    opened.map(async (each) =>
      each === undefined ? undefined : revokeTokens(deps, each.choice, each.content),
    ),
  )
  const mine = opened.find((each) => each?.record.digest === own?.digest)
  if (mine === undefined) return undefined
  try {
    const url = await partyOf(deps, mine.choice).endSessionUrl({
      id_token_hint: mine.content.idToken,
      post_logout_redirect_uri: `${origin}${loggedOut}`,
    })
    return url?.href
  } catch (error) {
    deps.log.warn(
      { provider: mine.choice.provider, reason: faultOf(error).detail },
      'the provider cannot be told of a logout',
    )
    return undefined
  }
}

interface Opened {
  readonly record: SessionRecord
  readonly choice: Choice
  readonly content: SessionContent
}

async function reopen(deps: LoginDependencies, record: SessionRecord): Promise<Opened | undefined> {
  const content = await openContent(deps.sessions.vault, record.digest, record.content)
  const choice = choiceOf(deps, record.authenticator, record.provider)
  return content === undefined || choice === undefined ? undefined : { record, choice, content }
}

/** Where the form's answer may lead: browsers hold a page's form policy against redirects. */
async function endSessionOrigins(deps: LoginDependencies): Promise<string[]> {
  const origins = await Promise.all(
    choicesOf(deps).map(async (choice) => {
      try {
        return (await partyOf(deps, choice).endSessionUrl({}))?.origin
      } catch {
        return undefined
      }
    }),
  )
  // A provider may hand the logout on to another one, over https.
  return ['https:', ...new Set(origins.filter((each) => each?.startsWith('http:') === true).map(String))]
}
