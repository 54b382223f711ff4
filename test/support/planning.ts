import type { Configuration, ForwardSettings, RouteSettings } from '../../src/configuration.ts'
import type { CredentialFacts, CredentialPlace, Identity } from '../../src/engine/identity.ts'
import type { FieldLines, ForwardPlan, ServerRequest } from '../../src/exchange.ts'
import { toGatewayRequest } from '../../src/server/to-request.ts'
import { createPropagation, type Propagation, type PropagationParts } from '../../src/propagation/plan.ts'
import { routeSettings } from './route-settings.ts'

export const defaultHeaders: ForwardSettings['headers'] = {
  subject: 'X-Auth-Subject',
  issuer: 'X-Auth-Issuer',
  client: 'X-Auth-Client',
  scopes: 'X-Auth-Scopes',
  roles: 'X-Auth-Roles',
  tenant: 'X-Auth-Tenant',
  method: 'X-Auth-Method',
}

/** Where the authenticators of the configuration read. */
export const usualPlaces: readonly CredentialPlace[] = [
  { kind: 'header', name: 'x-api-key' },
  { kind: 'header', name: 'authorization', scheme: 'Bearer' },
  { kind: 'cookie', name: 'session_token' },
  { kind: 'query', name: 'api_key' },
]

export interface Planning {
  readonly routes?: readonly RouteSettings[]
  readonly forward?: Partial<ForwardSettings>
  readonly route?: Partial<RouteSettings>
  readonly settings?: Partial<Configuration>
  readonly parts?: Partial<PropagationParts>
}

/** A propagation for one route, unless a test says otherwise. */
export function propagationOf(planning: Planning = {}): { propagation: Propagation; route: RouteSettings } {
  const forward: ForwardSettings = {
    headers: defaultHeaders,
    assertion: false,
    credential: 'strip',
    set: {},
    remove: [],
    keep: [],
    ...planning.forward,
  }
  const route = routeSettings('r', { path: '/*' }, { forward, ...planning.route })
  const routes = [route, ...(planning.routes ?? [])]
  const propagation = createPropagation(
    {
      routes,
      upstreams: {},
      authenticators: {
        all: { type: 'api-key', name: 'all', in: usualPlaces },
      },
      assertion: { lifetime: 60_000, rotateEvery: 86_400_000, perRequest: false },
      publicUrl: [],
      forwarded: 'x-forwarded',
      ...planning.settings,
    },
    { clock: { now: () => 1_800_000_000_000 }, keys: undefined, ...planning.parts },
  )
  return { propagation, route }
}

export interface Sent {
  readonly fields?: FieldLines
  readonly path?: string
  readonly query?: string
  readonly target?: string
  readonly identity?: Identity
  readonly credential?: Partial<CredentialFacts>
  readonly presented?: readonly CredentialPlace[]
  readonly peer?: string
  readonly clientIp?: string
  readonly port?: number
}

/** Sends a request through the plan. */
export function plan(planning: Planning, sent: Sent = {}): ForwardPlan {
  const { propagation, route } = propagationOf(planning)
  const { fields = [], path = '/', query = '', peer = '192.0.2.1', identity } = sent
  const client = {
    clientIp: sent.clientIp ?? peer,
    scheme: 'https' as const,
    host: 'api.example.com',
    ...(sent.port === undefined ? {} : { port: sent.port }),
  }
  const server = {
    method: 'GET',
    target: sent.target ?? (query === '' ? path : `${path}?${query}`),
    fields,
    connection: { address: peer },
  } as unknown as ServerRequest
  const credential: CredentialFacts = {
    kind: 'jwt',
    expiresAt: 1_800_000_600_000,
    place: { kind: 'header', name: 'authorization', scheme: 'Bearer' },
    ...sent.credential,
  }
  return propagation.plan(
    {
      id: 'request-1',
      server,
      request: toGatewayRequest(server, { path, query }, client, {
        publicOrigin: () => undefined,
        certificate: () => undefined,
      }),
      route,
      identity,
      credential: identity === undefined ? undefined : credential,
      presented: (sent.presented ?? []).map((place) => ({ value: 'x', place })),
    },
    { client, traceparent: '00-trace', stillGood: () => true },
  )
}

/** What a backend sees of the fields, without those that every request gets. */
export function seen(forward: ForwardPlan): string[] {
  const usual = /^(?:x-forwarded-(?:for|host|proto)|forwarded|x-request-id|traceparent)$/
  const lines: string[] = []
  for (let index = 0; index < forward.fields.length; index += 2) {
    const name = forward.fields[index]!
    if (!usual.test(name.toLowerCase())) lines.push(`${name}: ${forward.fields[index + 1]!}`)
  }
  return lines
}

/** All values of a field. */
export function valuesOf(forward: ForwardPlan, name: string): string[] {
  return forward.fields.filter(
    (_, index) => index % 2 === 1 && forward.fields[index - 1]!.toLowerCase() === name,
  )
}

export const alice: Identity = Object.freeze({
  issuer: 'https://idp.example',
  subject: 'alice',
  client: 'web',
  scopes: ['catalog:read', 'catalog:list'],
  roles: ['viewer', 'editor'],
  claims: {},
  method: 'corp',
  amr: ['jwt'],
})
