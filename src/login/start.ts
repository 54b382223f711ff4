/** `/.portcullis/login`: chooses a provider, remembers the attempt in the browser, and sends it there. */
import { createHash } from 'node:crypto'
import { refuse, type Refusal } from '../engine/outcome.ts'
import { safeReturnTo } from '../engine/sessions/return-to.ts'
import { keepAttempt, newSecret, type Attempt } from './attempt.ts'
import { pageAnswer, redirectTo } from './answers.ts'
import { isRefusal, parameterOf, type LoginAnswer, type LoginCall } from './call.ts'
import { chooseProvider } from './choose.ts'
import type { LoginDependencies } from './dependencies.ts'
import { faultOf } from './fault.ts'
import { chooserPage, continuePage, labelOf } from './pages.ts'
import type { Party } from './party.ts'
import { scopeFor } from './scopes.ts'
import { partyOf, type Choice } from './settings.ts'
import { stepUpOf, stepUpParameters } from './step-up.ts'

interface Asked {
  readonly returnTo: string
  readonly authenticator: string | undefined
  readonly provider: string | undefined
  readonly email: string | undefined
  readonly stepUp: string | undefined
}

export async function answerLogin(deps: LoginDependencies, call: LoginCall): Promise<LoginAnswer> {
  const asked = readAsked(call)
  if (isRefusal(asked)) return asked
  const { host, method } = call.request
  const chosen = chooseProvider(deps, { ...asked, host })
  if (chosen.outcome === 'none') return refuse('login_choice')
  if (chosen.outcome === 'ask') {
    const { choices, asksForEmail } = chosen
    const { returnTo, stepUp, email } = asked
    return pageAnswer(
      chooserPage(deps, {
        choices,
        asksForEmail,
        returnTo,
        stepUp,
        ...(email === undefined ? {} : { email }),
      }),
    )
  }
  const begun = await begin(deps, call, chosen.choice, asked)
  if (isRefusal(begun)) return begun
  const { location, cookies } = begun
  return method === 'POST'
    ? pageAnswer(continuePage(deps, location, labelOf(chosen.choice)), { cookies })
    : redirectTo(location, cookies)
}

/** A POST says it in the form, so that an e-mail address is in no history and no log. */
function readAsked({ request, form, origin }: LoginCall): Asked | Refusal {
  const from = request.method === 'POST' ? form : new URLSearchParams(request.query)
  const read: Record<string, string | undefined> = {}
  for (const name of ['return_to', 'authenticator', 'provider', 'email', 'step_up']) {
    const value = parameterOf(from, name)
    if (isRefusal(value)) return value
    read[name] = value
  }
  const returnTo = safeReturnTo(read['return_to'] ?? '/', origin)
  if (returnTo === undefined) return refuse('return_to_refused')
  return {
    returnTo,
    authenticator: read['authenticator'],
    provider: read['provider'],
    email: read['email'],
    stepUp: read['step_up'],
  }
}

async function begin(
  deps: LoginDependencies,
  { request, origin }: LoginCall,
  choice: Choice,
  asked: Asked,
): Promise<{ readonly location: string; readonly cookies: readonly string[] } | Refusal> {
  const party = partyOf(deps, choice)
  const stepUp = asked.stepUp === undefined ? undefined : stepUpOf(deps, asked.stepUp)
  try {
    const attempt: Attempt = {
      state: newSecret(16),
      nonce: newSecret(16),
      verifier: newSecret(32),
      authenticator: choice.settings.name,
      provider: choice.provider,
      returnTo: asked.returnTo,
      startedAt: deps.clock.now(),
      scope: await scopeFor(deps, choice, party),
      ...(stepUp === undefined ? {} : { stepUp: asked.stepUp! }),
    }
    const location = await authorizationUrl(party, attempt, {
      ...choice.settings.parameters,
      ...(stepUp === undefined ? {} : stepUpParameters(stepUp)),
      ...(asked.email === undefined ? {} : { login_hint: asked.email }),
      redirect_uri: callbackOf(origin, choice.provider),
    })
    return { location, cookies: await keepAttempt(deps.sessions.vault, attempt, origin, request) }
  } catch (error) {
    const { kind, detail } = faultOf(error)
    deps.log.warn({ provider: choice.provider, reason: detail }, 'a login could not begin')
    return refuse(kind === 'away' ? 'login_unavailable' : 'login_impossible', {
      detail,
      // One that refuses to begin has to be mended by somebody: trying again soon is no use.
      retryAfter: kind === 'away' ? 5 : 60,
    })
  }
}

async function authorizationUrl(
  party: Party,
  { scope, state, nonce, verifier }: Attempt,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const url = await party.authorizationUrl({
    ...more,
    scope,
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return url.href
}

export function callbackOf(origin: string, provider: string): string {
  return `${origin}/.portcullis/callback/${provider}`
}
