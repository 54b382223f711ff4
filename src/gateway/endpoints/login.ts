/** Signing in and out: there where an authenticator of type `session` is configured. */
import { isSession } from '../../engine/authenticators/session/settings.ts'
import type { SessionAuthenticator } from '../../engine/authenticators/session/authenticator.ts'
import type { Authenticator } from '../../engine/authenticators/authenticator.ts'
import { refuse } from '../../engine/outcome.ts'
import type { Configuration } from '../../configuration.ts'
import type { LoginCall } from '../../login/call.ts'
import type { Login } from '../../login/login.ts'
import type { ExchangeState } from '../exchange-state.ts'
import { readBody } from './body.ts'
import type { EndpointAnswer, OwnEndpoint } from './endpoint.ts'

const prefix = '/.portcullis'
/** Bytes: forms of a few fields, and logout tokens. */
const mostForm = 32_768

export function loginEndpoints(
  configuration: Configuration,
  login: Login,
  authenticators: readonly Authenticator[],
): readonly OwnEndpoint[] {
  if (!Object.values(configuration.authenticators).some((each) => isSession(each))) return []
  const sessions = authenticators.filter((each): each is SessionAuthenticator => each.type === 'session')
  return [
    {
      matches: (path) => path === `${prefix}/login`,
      methods: ['GET', 'HEAD', 'POST'],
      answer: (exchange) => here(exchange, (call) => login.login(call)),
    },
    {
      matches: (path) => providerIn(path, 'callback', login) !== undefined,
      methods: ['GET'],
      answer: (exchange) =>
        here(exchange, (call) => login.callback(call, providerIn(exchange.request.path, 'callback', login)!)),
    },
    {
      matches: (path) => path === `${prefix}/logout`,
      methods: ['GET', 'HEAD', 'POST'],
      answer: (exchange) =>
        exchange.request.method === 'POST'
          ? here(exchange, (call) => login.logout(call))
          : here(exchange, () => login.logoutPage()),
    },
    {
      matches: (path) => path === `${prefix}/logged-out`,
      methods: ['GET', 'HEAD'],
      answer: (exchange) => here(exchange, async () => login.loggedOut()),
    },
    {
      matches: (path) => providerIn(path, 'backchannel-logout', login) !== undefined,
      methods: ['POST'],
      // The provider may reach us by an address of its own: the token says what is meant.
      answer: async (exchange) =>
        login.backChannel(
          await callOf(exchange, exchange.request.publicOrigin ?? ''),
          providerIn(exchange.request.path, 'backchannel-logout', login)!,
        ),
    },
    {
      matches: (path) => path === `${prefix}/session`,
      methods: ['GET', 'HEAD'],
      answer: (exchange) => here(exchange, (call) => login.who(call, sessions)),
    },
  ]
}

function providerIn(path: string, endpoint: string, login: Login): string | undefined {
  const start = `${prefix}/${endpoint}/`
  if (!path.startsWith(start)) return undefined
  const provider = path.slice(start.length)
  return login.knows(provider) ? provider : undefined
}

/** On a host that is none of ours there is no cookie to read and no address to come back to. */
async function here(
  exchange: ExchangeState,
  answer: (call: LoginCall) => Promise<EndpointAnswer>,
): Promise<EndpointAnswer> {
  const { publicOrigin } = exchange.request
  if (publicOrigin === undefined) return refuse('misdirected')
  const { maxStale, then } = exchange.snapshot.configuration.outage.revocations
  const { clock, revocations } = exchange.snapshot.services
  if (then === 'refuse' && revocations.staleFor(clock.now()) > maxStale)
    return refuse('revocations_stale', { retryAfter: 1 })
  return answer(await callOf(exchange, publicOrigin))
}

async function callOf(exchange: ExchangeState, origin: string): Promise<LoginCall> {
  const { request, id } = exchange
  const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.header('content-type') ?? '')
  const body = request.method === 'POST' ? await readBody(exchange, mostForm) : undefined
  const form = new URLSearchParams(isForm ? body?.toString('utf8') : '')
  return { request, requestId: id, origin, form }
}
