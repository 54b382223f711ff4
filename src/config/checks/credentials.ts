/** What a jwt authenticator takes: places, issuers, audiences, algorithms, its secret. */
import { expectedIssuers, hasKeySource, profileFor } from '../../engine/providers/registry.ts'
import { hmacSecretFault } from '../../engine/authenticators/jwt/hmac-secret.ts'
import type { CredentialPlace } from '../../engine/identity.ts'
import { compileJwt, compileProvider, isKnownProvider } from '../compile-identity.ts'
import type { Complaint } from '../fault.ts'
import { valueAt, type Path } from '../path.ts'
import { secretAlgorithms, type ParsedJwt } from '../schema/authenticators.ts'
import type { Check, CheckContext } from './check.ts'
import { providerFault } from './providers.ts'

export const checkTokens: Check = function* (context) {
  for (const [name, authenticator] of Object.entries(context.configuration.authenticators)) {
    const path: Path = ['authenticators', name]
    if (authenticator.type !== 'jwt') continue
    yield* checkAudience(context, authenticator, path)
    yield* checkAlgorithms(context, name, authenticator, path)
  }
}

export const checkPlaces: Check = function* (context) {
  for (const [name, authenticator] of Object.entries(context.configuration.authenticators)) {
    if (!('in' in authenticator)) continue
    for (const [index, place] of authenticator.in.entries()) {
      if (!placesShared([place], authenticator.in.slice(0, index))) continue
      yield {
        path: ['authenticators', name, 'in', index],
        message: 'this place is named already',
        expected: 'each place once',
      }
    }
  }
}

export function placesShared(some: readonly CredentialPlace[], others: readonly CredentialPlace[]): boolean {
  return some.some((one) => others.some((other) => samePlace(one, other)))
}

function samePlace(one: CredentialPlace, other: CredentialPlace): boolean {
  if (one.kind !== other.kind || one.name !== other.name) return false
  if (one.kind !== 'header' || other.kind !== 'header') return true
  return (
    one.scheme === undefined ||
    other.scheme === undefined ||
    one.scheme.toLowerCase() === other.scheme.toLowerCase()
  )
}

export function audiencesOverlap(one: ParsedJwt, other: ParsedJwt): boolean {
  if (one.audience === undefined && other.audience === undefined)
    return listsOverlap(one.clients, other.clients)
  return listsOverlap(one.audience, other.audience)
}

/** Undefined and `any` are everything. */
function listsOverlap(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined || one.includes('any') || other.includes('any')) return true
  return one.some((each) => other.includes(each))
}

export function issuersOf(context: CheckContext, provider: string): readonly string[] {
  const settings = workingProvider(context, provider)
  return settings === undefined ? [] : expectedIssuers(settings)
}

function workingProvider(
  context: CheckContext,
  name: string,
): ReturnType<typeof compileProvider> | undefined {
  const parsed = Object.hasOwn(context.configuration.providers, name)
    ? context.configuration.providers[name]
    : undefined
  if (parsed === undefined || !isKnownProvider(parsed) || providerFault(name, parsed) !== undefined)
    return undefined
  return compileProvider(name, parsed, context.folder)
}

function* checkAudience(context: CheckContext, jwt: ParsedJwt, path: Path): Generator<Complaint> {
  const written = valueAt(context.tree, [...path, 'audience'])
  if (Array.isArray(written) && written.includes('any')) {
    yield {
      path: [...path, 'audience'],
      message: '`any` stands alone',
      expected: 'audiences, or `audience: any`',
    }
  }
  if (jwt.audience !== undefined) return
  const provider = workingProvider(context, jwt.provider)
  if (provider === undefined) return
  const clientsWillDo = profileFor(provider).audienceRule === 'clients'
  if (clientsWillDo && jwt.clients !== undefined) return
  yield {
    path: [...path, 'audience'],
    message: 'nothing says for whom the tokens must be meant',
    expected: clientsWillDo
      ? "`clients: [...]` with the ids of your app clients (Cognito's access tokens have no `aud`), or `audience`"
      : 'the audience of your API, as it stands in `aud`; or `audience: any`, which takes tokens meant for other services too',
  }
}

function* checkAlgorithms(
  context: CheckContext,
  name: string,
  jwt: ParsedJwt,
  path: Path,
): Generator<Complaint> {
  const shared = jwt.algorithms.filter((each) => isShared(each))
  const repeated = jwt.algorithms.findIndex((each, index) => jwt.algorithms.indexOf(each) !== index)
  if (repeated !== -1)
    yield {
      path: [...path, 'algorithms', repeated],
      message: 'this algorithm stands here already',
      expected: 'each one once',
    }
  if (shared.length > 0 && shared.length < jwt.algorithms.length) {
    yield {
      path: [...path, 'algorithms'],
      message: 'HMAC and public-key algorithms cannot be mixed: a published key could be used as the secret',
      expected: `either ${secretAlgorithms.join(', ')}, or the others`,
    }
    return
  }
  if (shared.length === 0) {
    if (jwt.secret !== undefined) {
      yield {
        path: [...path, 'secret'],
        message: 'a secret goes with HMAC algorithms only',
        expected: '`algorithms: [HS256]` (or HS384, HS512) beside it, or no secret',
      }
    }
    const provider = workingProvider(context, jwt.provider)
    if (provider !== undefined && !hasKeySource(provider)) {
      yield {
        path: ['providers', jwt.provider, 'endpoints', 'jwks'],
        message: `with \`discovery: false\` there is no key set for the authenticator "${name}"`,
        expected: 'the address of the key set under `endpoints: { jwks: … }`, or `discovery: true`',
      }
    }
    return
  }
  const fault = hmacSecretFault(compileJwt(name, jwt))
  if (fault !== undefined)
    yield {
      path: [...path, 'secret'],
      message: fault,
      expected: 'at least 32 random bytes, known only to the issuer and the gateway',
    }
}

function isShared(algorithm: string): boolean {
  return (secretAlgorithms as readonly string[]).includes(algorithm)
}
