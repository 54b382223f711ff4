/** Tokens that a route gets for its backend: whom they are asked of, with what, and in exchange for what. */
import { kindOf } from '../../engine/authenticators/registry.ts'
import { clientFaults } from '../../engine/providers/client-settings.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { ParsedForward, ParsedTokenFor } from '../schema/forward.ts'
import type { ParsedAuthenticate } from '../schema/routes.ts'
import { routesOf, type Check, type CheckContext } from './check.ts'
import { factsFor } from './credentials.ts'
import { mustExist, namesIn } from './names.ts'

export const checkBackendTokens: Check = function* (context) {
  for (const { forward, path } of forwardMembers(context)) {
    for (const { token, path: place } of tokensIn(forward, path)) yield* checkToken(context, token, place)
    yield* checkOneWriter(forward, path)
  }
  for (const { route, path } of routesOf(context)) {
    const { defaults } = context.configuration
    const forward = route.forward ?? defaults.forward
    const authenticate = route.authenticate ?? defaults.authenticate
    if (forward?.tokenExchange === undefined || authenticate === undefined) continue
    yield* checkSubject(context, authenticate, [...path, 'forward', 'tokenExchange'])
  }
}

/** Every place in the file that says what an upstream is told. */
export function forwardMembers(
  context: CheckContext,
): readonly { readonly forward: ParsedForward; readonly path: Path }[] {
  const places = [
    { forward: context.configuration.defaults.forward, path: ['defaults', 'forward'] as Path },
    ...routesOf(context).map(({ route, path }) => ({ forward: route.forward, path: [...path, 'forward'] })),
  ]
  return places.flatMap(({ forward, path }) => (forward === undefined ? [] : [{ forward, path }]))
}

/** Each token of a `forward`, with its place. */
export function tokensIn(
  forward: ParsedForward,
  path: Path,
): readonly { readonly token: ParsedTokenFor; readonly path: Path }[] {
  return (['tokenExchange', 'clientCredentials'] as const).flatMap((member) => {
    const token = forward[member]
    return token === undefined ? [] : [{ token, path: [...path, member] }]
  })
}

/** Providers that publish no token endpoint: they vouch for their own workloads, and issue nothing to anybody else. */
const without: readonly string[] = ['github-actions', 'kubernetes', 'spiffe']

function* checkToken(context: CheckContext, token: ParsedTokenFor, path: Path): Generator<Complaint> {
  yield* mustExist(context, 'providers', token.provider, [...path, 'provider'])
  for (const { member, message, expected } of clientFaults(token.client))
    yield { path: [...path, 'client', member], message, expected }
  const provider = factsFor(context, path).provider(token.provider)
  if (provider === undefined || provider.endpoints['token'] !== undefined) return
  if (provider.discovery && !without.includes(provider.type)) return
  yield {
    path: [...path, 'provider'],
    message: without.includes(provider.type)
      ? `a provider of type ${provider.type} issues no tokens to clients`
      : 'with `discovery: false` nothing says where this provider issues tokens',
    expected: `a provider with a token endpoint, or its address under \`providers.${token.provider}.endpoints.token\``,
  }
}

/** One field, one writer: or else it would be chance what the backend takes the request for. */
function* checkOneWriter(forward: ParsedForward, path: Path): Generator<Complaint> {
  const { tokenExchange, clientCredentials, set, keep } = forward
  if (tokenExchange === undefined && clientCredentials === undefined) return
  if (tokenExchange !== undefined && clientCredentials !== undefined) {
    yield {
      path: [...path, 'clientCredentials'],
      message: '`tokenExchange` puts its token into the same field',
      expected: 'one of the two',
    }
  }
  for (const name of Object.keys(set).filter(isAuthorization)) {
    yield {
      path: [...path, 'set', name],
      message: 'the token for the upstream goes into this field',
      expected: 'another field',
      atKey: true,
    }
  }
  for (const [index, name] of keep.entries()) {
    if (!isAuthorization(name)) continue
    yield {
      path: [...path, 'keep', index],
      message: 'the token for the upstream goes into this field',
      expected: 'another field',
    }
  }
}

/** Only a token can be exchanged: a request that is let in without one would reach the backend without one too. */
function* checkSubject(
  { configuration }: CheckContext,
  authenticate: ParsedAuthenticate,
  path: Path,
): Generator<Complaint> {
  if (authenticate === 'none') {
    yield {
      path,
      message: 'a public route has no token to exchange',
      expected: '`clientCredentials`, or authenticators of tokens on this route',
    }
    return
  }
  const names = namesIn(authenticate, path).map(({ name }) => name)
  const bringing = names.filter((name) => {
    const type = configuration.authenticators[name]?.type
    return type === undefined || kindOf(type)?.bringsToken === true
  })
  const needsAll = !('all' in authenticate) || authenticate.all === undefined
  if (needsAll ? bringing.length === names.length : bringing.length > 0) return
  yield {
    path,
    message: `${names
      .filter((name) => !bringing.includes(name))
      .map((name) => `"${name}"`)
      .join(' and ')} brings no token that could be exchanged`,
    expected: 'authenticators of tokens on this route, or `clientCredentials`',
  }
}

function isAuthorization(name: string): boolean {
  return name.toLowerCase() === 'authorization'
}
