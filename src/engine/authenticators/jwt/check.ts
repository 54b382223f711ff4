/** What of a `jwt` authenticator cannot work: nobody whom the tokens are for, algorithms that do not go together, a bad secret. */
import { hasKeySource, profileFor } from '../../providers/registry.ts'
import type { AuthenticatorFault, CheckFacts } from '../kind.ts'
import { hmacSecretFault } from './hmac-secret.ts'
import { compileJwt } from './compile.ts'
import { secretAlgorithms, type ParsedJwt } from './schema.ts'

export function* checkJwt(name: string, jwt: ParsedJwt, context: CheckFacts): Generator<AuthenticatorFault> {
  yield* checkProvider(jwt, context)
  yield* checkAudience(jwt, context)
  yield* checkAlgorithms(name, jwt, context)
}

/** Some providers' access tokens can only be looked up, and some sign with few algorithms. */
function* checkProvider(jwt: ParsedJwt, context: CheckFacts): Generator<AuthenticatorFault> {
  const { path } = context
  const provider = context.provider(jwt.provider)
  if (provider === undefined) return
  const profile = profileFor(provider)
  if (profile.opaqueBecause !== undefined) {
    yield {
      path: [...path, 'provider'],
      message: profile.opaqueBecause,
      expected:
        'an `introspection` or a `session` authenticator; or a custom `authorizationServer` on the provider, such as `default`',
    }
  }
  const allowed = profile.algorithms
  if (allowed !== undefined && !jwt.algorithms.some((each) => allowed.includes(each))) {
    yield {
      path: [...path, 'algorithms'],
      message: 'tokens of this provider are signed with none of these',
      expected: `some of ${allowed.join(', ')}`,
    }
  }
}

function* checkAudience(jwt: ParsedJwt, context: CheckFacts): Generator<AuthenticatorFault> {
  const { path } = context
  const written = context.written([...path, 'audience'])
  if (Array.isArray(written) && written.includes('any')) {
    yield {
      path: [...path, 'audience'],
      message: '`any` stands alone',
      expected: 'audiences, or `audience: any`',
    }
  }
  if (jwt.audience !== undefined || jwt.resource !== undefined) return
  const provider = context.provider(jwt.provider)
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

function* checkAlgorithms(name: string, jwt: ParsedJwt, context: CheckFacts): Generator<AuthenticatorFault> {
  const { path } = context
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
    const provider = context.provider(jwt.provider)
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
