/** What of an `introspection` authenticator cannot work: nobody whom the tokens are for, nobody to ask, nothing to prove with. */
import { clientFaults } from '../../providers/client-settings.ts'
import type { ProviderSettings, ProviderType } from '../../providers/settings.ts'
import type { AuthenticatorFault, CheckFacts } from '../kind.ts'
import type { ParsedIntrospection } from './schema.ts'

export function* checkIntrospection(
  name: string,
  parsed: ParsedIntrospection,
  context: CheckFacts,
): Generator<AuthenticatorFault> {
  const { path } = context
  yield* checkAudience(parsed, context)
  const provider = context.provider(parsed.provider)
  if (provider !== undefined) yield* checkEndpoint(name, provider)
  for (const { member, message, expected } of clientFaults(parsed.client))
    yield { path: [...path, 'client', member], message, expected }
  if (parsed.staleFor !== undefined && parsed.onUnavailable !== 'stale') {
    yield {
      path: [...path, 'staleFor'],
      message: 'old answers are not used while the provider is away',
      expected: '`onUnavailable: stale` beside it, or no `staleFor`',
    }
  }
}

function* checkAudience(
  { audience, resource }: ParsedIntrospection,
  { path }: CheckFacts,
): Generator<AuthenticatorFault> {
  if (audience !== undefined && audience.length > 1 && audience.includes('any')) {
    yield {
      path: [...path, 'audience'],
      message: '`any` stands alone',
      expected: 'audiences, or `audience: any`',
    }
  }
  if (audience !== undefined || resource !== undefined) return
  yield {
    path: [...path, 'audience'],
    message: 'nothing says for whom the tokens must be meant',
    expected:
      'the audience of your API, as it stands in `aud` of the answers; or `audience: any`, which takes tokens meant for other services too',
  }
}

/** Providers that publish no such endpoint: their tokens are signed, or are nobody else's business. */
const without: readonly ProviderType[] = [
  'cognito',
  'entra',
  'google',
  'github-actions',
  'kubernetes',
  'spiffe',
]

function* checkEndpoint(
  name: string,
  { name: provider, type, discovery, endpoints }: ProviderSettings,
): Generator<AuthenticatorFault> {
  if (endpoints['introspection'] !== undefined) return
  const path = ['providers', provider, 'endpoints', 'introspection']
  if (without.includes(type)) {
    yield {
      path,
      message: `a provider of type ${type} has no introspection endpoint for the authenticator "${name}" to ask`,
      expected: 'a `jwt` authenticator, or the address of an endpoint of your own here',
    }
  } else if (!discovery) {
    yield {
      path,
      message: `with \`discovery: false\` there is no introspection endpoint for the authenticator "${name}"`,
      expected: 'the address of the endpoint under `endpoints: { introspection: … }`, or `discovery: true`',
    }
  }
}
