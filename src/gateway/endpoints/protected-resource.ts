/** What a protected resource says of itself, for OAuth clients that find their own way (RFC 9728). */
import type { Configuration } from '../../configuration.ts'
import { profileFor } from '../../engine/providers/registry.ts'
import { describeResources, type DescribedResource } from '../../engine/resources/describe.ts'
import type { Answer } from '../../exchange.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { OwnEndpoint } from './endpoint.ts'

/** Any page may read what is public; a preflight asks for the fields that clients of protocols send along. */
const forAnyPage = ['Access-Control-Allow-Origin', '*'] as const

/** @returns an endpoint for each path at which a resource is described; none where no authenticator names one */
export function protectedResources({
  authenticators,
  providers,
  routes,
}: Configuration): readonly OwnEndpoint[] {
  const described = describeResources(
    authenticators,
    routes,
    (name) => profileFor(providers[name]!).issuers[0]!,
  )
  return [...Map.groupBy(described, ({ path }) => path)].map(([path, resources]) => ({
    matches: (asked) => asked === path,
    methods: ['GET', 'HEAD', 'OPTIONS'],
    answer: (exchange) => answer(exchange, resources),
  }))
}

function answer({ request }: ExchangeState, resources: readonly DescribedResource[]): Answer | undefined {
  if (request.method === 'OPTIONS') return preflight
  // The same path at several hosts: each host describes its own.
  const resource =
    resources.length === 1
      ? resources[0]
      : resources.find(({ id }) => new URL(id).origin === request.publicOrigin)
  return (
    resource && {
      status: 200,
      fields: ['Content-Type', 'application/json', 'Cache-Control', 'public, max-age=300', ...forAnyPage],
      body: JSON.stringify(resource.metadata),
    }
  )
}

const preflight: Answer = {
  status: 204,
  fields: [
    ...forAnyPage,
    'Access-Control-Allow-Methods',
    'GET, HEAD',
    'Access-Control-Allow-Headers',
    '*',
    'Access-Control-Max-Age',
    '300',
    'Cache-Control',
    'public, max-age=300',
  ],
  body: '',
}
