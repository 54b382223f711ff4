/** Every place in the file that says which client the gateway is at a provider. */
import type { ParsedClient } from '../../engine/providers/client-settings.ts'
import type { Path } from '../path.ts'
import { forwardMembers, tokensIn } from './backend-tokens.ts'
import type { CheckContext } from './check.ts'

export function clientsIn(
  context: CheckContext,
): readonly { readonly client: ParsedClient; readonly path: Path }[] {
  const authenticators = Object.entries(context.configuration.authenticators).flatMap(
    ([name, authenticator]) => {
      const { client } = authenticator as { client?: ParsedClient }
      return client === undefined ? [] : [{ client, path: ['authenticators', name, 'client'] as Path }]
    },
  )
  const tokens = forwardMembers(context).flatMap(({ forward, path }) =>
    tokensIn(forward, path).map(({ token: { client }, path: place }) => ({
      client,
      path: [...place, 'client'],
    })),
  )
  return [...authenticators, ...tokens]
}
