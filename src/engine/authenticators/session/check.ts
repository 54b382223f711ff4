/** What of a `session` authenticator cannot work: no provider or client, origins on which its cookie is not safe, choices of nobody. */
import { clientFaults, type ParsedClient } from '../../providers/client-settings.ts'
import { hasKeySource } from '../../providers/registry.ts'
import type { AuthenticatorFault, CheckFacts } from '../kind.ts'
import { providersOf } from './compile.ts'
import type { ParsedSession } from './schema.ts'

export function* checkSession(
  _name: string,
  session: ParsedSession,
  context: CheckFacts,
): Generator<AuthenticatorFault> {
  yield* checkProviders(session, context)
  yield* checkEndpoints(session, context)
  yield* checkClients(session, context)
  if (isFirst(context)) yield* checkOrigins(context)
  yield* checkParameters(session, context)
  yield* checkChoices(session, context)
  if (session.idle > session.absolute) {
    yield {
      path: [...context.path, 'idle'],
      message: 'a session ends at `absolute`, however much it is used',
      expected: 'at most as long as `absolute`',
    }
  }
}

function* checkProviders(session: ParsedSession, { path }: CheckFacts): Generator<AuthenticatorFault> {
  const { provider, providers } = session
  if ((provider === undefined) === (providers === undefined)) {
    yield {
      path: provider === undefined ? path : [...path, 'providers'],
      message:
        provider === undefined
          ? 'nothing says where to sign in'
          : '`provider` and `providers` exclude each other',
      expected: '`provider: NAME`, or `providers: [NAME, …]`',
    }
  }
  for (const [index, name] of (providers ?? []).entries()) {
    if (providers!.indexOf(name) === index) continue
    yield {
      path: [...path, 'providers', index],
      message: 'this provider stands here already',
      expected: 'each one once',
    }
  }
}

/** Workloads prove themselves by tokens: nobody signs in there. */
const withoutPeople: readonly string[] = ['github-actions', 'kubernetes', 'spiffe']

/** With what is known of a provider, whether a browser can be sent there and a code redeemed. */
function* checkEndpoints(
  session: ParsedSession,
  { path, provider }: CheckFacts,
): Generator<AuthenticatorFault> {
  for (const name of providersOf(session)) {
    const settings = provider(name)
    if (settings === undefined) continue
    if (withoutPeople.includes(settings.type)) {
      yield {
        path: [...path, session.providers === undefined ? 'provider' : 'providers'],
        message: `nobody signs in at "${name}": it vouches for workloads`,
        expected: 'a provider where people have accounts',
      }
      continue
    }
    if (settings.discovery) continue
    const missing = ['authorization', 'token'].filter((each) => settings.endpoints[each] === undefined)
    if (missing.length === 0 && hasKeySource(settings)) continue
    yield {
      path: ['providers', name, 'discovery'],
      message: `without discovery it is not known where the users of "${String(path[1])}" sign in`,
      expected: '`endpoints` with `authorization`, `token` and `jwks`, or `discovery: true`',
    }
  }
}

function* checkClients(session: ParsedSession, { path }: CheckFacts): Generator<AuthenticatorFault> {
  const { client, clients = {} } = session
  const named = providersOf(session)
  const without = named.find((name) => client === undefined && !Object.hasOwn(clients, name))
  if (without !== undefined) {
    yield {
      path: [...path, 'client'],
      message: `nothing says which client the gateway is at "${without}"`,
      expected: '`client: { id: …, secret: … }`, or one for each provider under `clients`',
    }
  }
  for (const name of Object.keys(clients)) {
    if (named.includes(name)) continue
    yield {
      path: [...path, 'clients', name],
      message: 'nobody signs in at this provider',
      expected: `one of ${named.join(', ')}`,
    }
  }
  const given: (readonly [readonly (string | number)[], ParsedClient])[] = [
    ...(client === undefined ? [] : [[[...path, 'client'], client] as const]),
    ...Object.entries(clients).map(([name, each]) => [[...path, 'clients', name], each] as const),
  ]
  for (const [place, each] of given) {
    for (const { member, message, expected } of clientFaults(each))
      yield { path: [...place, member], message, expected }
  }
}

/** What is wrong with the listeners is told once, however many sign in there. */
function isFirst({ path, written }: CheckFacts): boolean {
  const all = Object.entries(
    (written(['authenticators']) ?? {}) as Readonly<Record<string, { type?: unknown }>>,
  )
  return all.find(([, each]) => each?.type === 'session')?.[0] === path[1]
}

/** A session's cookie is a bearer's: without TLS whoever sits between has it, and without a known origin it is anybody's. */
function* checkOrigins({
  path,
  publicUrl,
  isLoopback,
  trustsProxies,
  plainListener,
}: CheckFacts): Generator<AuthenticatorFault> {
  if (publicUrl.length === 0 && !isLoopback) {
    yield {
      path: ['publicUrl'],
      message: `the session authenticator "${String(path[1])}" needs to know its own origin`,
      expected: 'the origin that browsers use, such as https://app.example.com',
    }
  }
  const plain = publicUrl.find((origin) => origin.startsWith('http:') && !isLoopbackOrigin(origin))
  if (plain !== undefined) {
    yield {
      path: ['publicUrl'],
      message: `browsers send the session cookie of "${String(path[1])}" to ${plain} in the clear`,
      expected: 'https:// (a proxy in front may end TLS)',
    }
  }
  if (plainListener !== undefined && !trustsProxies) {
    yield {
      path: ['listeners', plainListener, 'address'],
      message: `the session cookie of "${String(path[1])}" would travel here in the clear`,
      expected: 'a listener with `tls`, one on loopback, or `trustedProxies` with the proxy that ends TLS',
    }
  }
}

function isLoopbackOrigin(origin: string): boolean {
  const { hostname } = new URL(origin)
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname.endsWith('.localhost') ||
    hostname.startsWith('127.')
  )
}

/** What the login writes itself: a configured one would undo a protection. */
const ownParameters: readonly string[] = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
]

function* checkParameters(
  { parameters }: ParsedSession,
  { path }: CheckFacts,
): Generator<AuthenticatorFault> {
  for (const name of Object.keys(parameters)) {
    if (!ownParameters.includes(name)) continue
    yield {
      path: [...path, 'parameters', name],
      message: 'this parameter is written by the gateway',
      expected: name === 'scope' ? '`scopes: […]`' : 'another parameter',
    }
  }
}

function* checkChoices(session: ParsedSession, { path }: CheckFacts): Generator<AuthenticatorFault> {
  const named = providersOf(session)
  const { hosts, emailDomains, labels } = session.choose
  const expected = `one of ${named.join(', ')}`
  const message = 'nobody signs in at this provider'
  for (const [member, choices] of Object.entries({ hosts, emailDomains })) {
    for (const [key, provider] of Object.entries(choices))
      if (!named.includes(provider)) yield { path: [...path, 'choose', member, key], message, expected }
  }
  for (const provider of Object.keys(labels))
    if (!named.includes(provider)) yield { path: [...path, 'choose', 'labels', provider], message, expected }
}
