/**
 * Step 7 of a request's way: what the client must not say is removed, the identity goes in. Everything that depends on the
 * configuration alone is compiled once; a warm request copies field lines and looks two things up.
 */
import type { Configuration, ForwardSettings, RouteSettings } from '../configuration.ts'
import { isMtls } from '../engine/authenticators/mtls/settings.ts'
import { canonicalName } from '../engine/fields.ts'
import type { Identity } from '../engine/identity.ts'
import type { Exchange, ForwardPlan } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import { createAssertions } from './assertion.ts'
import type { AssertionKeys, PublishedKey } from './assertion-keys.ts'
import { findForwardFaults } from './forward-faults.ts'
import type { Client } from './forwarding.ts'
import { compileHashKey } from './hash-key.ts'
import { compileIdentityHeaders, droppedScopes } from './headers.ts'
import { planRequest, type RoutePlan } from './plan-request.ts'
import { compileRewrite } from './rewrite.ts'
import { compileStrip, credentialNames } from './strip.ts'

export interface Propagation {
  /** @throws when the exchange has no route of this configuration: a bug */
  plan(exchange: PlannedExchange, facts: ForwardFacts): ForwardPlan
  /** The set at `/.portcullis/jwks.json`; undefined where no route sends assertions. */
  keySet(): { readonly keys: readonly PublishedKey[] } | undefined
  /**
   * Names of the headers by which any route tells who is calling, folded by `canonicalName`: a `Connection` field that names one
   * would make it vanish.
   */
  readonly identityNames: ReadonlySet<string>
  /** Scopes of the identity that no header can tell, for the record. */
  droppedScopes(identity: Identity): readonly string[]
}

export type PlannedExchange = Pick<
  Exchange,
  'id' | 'server' | 'request' | 'route' | 'identity' | 'credential' | 'presented'
>

export interface ForwardFacts {
  readonly client: Client
  /** What goes upstream; undefined: none. */
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  readonly stillGood: () => boolean
  /** The token that was got for the upstream. */
  readonly backendToken?: string | undefined
}

export interface PropagationParts {
  readonly clock: Clock
  /** Needed where a route sends assertions. */
  readonly keys: AssertionKeys | undefined
}

/** What propagation reads of a configuration. */
export type PropagationSettings = Pick<
  Configuration,
  'routes' | 'upstreams' | 'authenticators' | 'assertion' | 'publicUrl' | 'forwarded'
>

/** @throws {TypeError} on what `findForwardFaults` finds, and when a route sends assertions and there are no keys */
export function createPropagation(configuration: PropagationSettings, parts: PropagationParts): Propagation {
  const { routes, upstreams, authenticators, assertion, publicUrl, forwarded } = configuration
  const credentials = credentialNames(authenticators)
  const signs = routes.some(({ forward }) => forward.assertion)
  if (signs && parts.keys === undefined) throw new TypeError('assertions need keys')
  const assert =
    parts.keys === undefined
      ? undefined
      : createAssertions(
          {
            lifetime: assertion.lifetime,
            perRequest: assertion.perRequest,
            issuer: publicUrl[0] ?? 'portcullis',
          },
          { clock: parts.clock, keys: parts.keys },
        )
  const believesProxies = Object.values(authenticators).some(
    (each) => isMtls(each) && each.from !== undefined,
  )
  const told = toldByUpstream(routes)
  // Most routes ask the same of these: one compiled form, with its memory, serves them all.
  const strips = shared((names: ReadonlySet<string>, forward: ForwardSettings) => {
    return compileStrip(forward, credentials, names)
  })
  const headers = shared((_, forward) => compileIdentityHeaders(forward))
  const plans = new Map<RouteSettings, RoutePlan>()
  for (const route of routes) {
    const { forward } = route
    const [fault] = findForwardFaults(route)
    if (fault !== undefined) throw new TypeError(`route "${route.id}": ${fault}`)
    const names = told.get(route.upstream)!
    plans.set(route, {
      route,
      strip: strips(names, forward, [
        route.upstream,
        Object.keys(forward.set),
        forward.remove,
        forward.keep,
        forward.backendToken !== undefined,
      ]),
      headers: headers(names, forward, [forward.headers, forward.remove]),
      rewrite: compileRewrite(route.rewrite),
      hashKey: compileHashKey(upstreams[route.upstream]),
      set: Object.entries(forward.set).flat(),
      assert: forward.assertion ? assert : undefined,
      family: forwarded,
      handsCertificatesOn: believesProxies,
    })
  }
  return {
    plan(exchange, facts) {
      const plan = exchange.route === undefined ? undefined : plans.get(exchange.route)
      if (plan === undefined) throw new TypeError('no route of this configuration')
      return planRequest(plan, exchange, facts)
    },
    keySet: () => (signs ? parts.keys?.published() : undefined),
    identityNames: new Set(routes.flatMap(toldNames).map(canonicalName)),
    droppedScopes,
  }
}

/** Names by which any route tells an upstream who is calling: believed there, whichever route a request comes by. */
function toldByUpstream(routes: readonly RouteSettings[]): ReadonlyMap<string, ReadonlySet<string>> {
  const told = new Map<string, Set<string>>()
  for (const route of routes) {
    const names = told.get(route.upstream) ?? new Set()
    for (const name of toldNames(route)) names.add(name)
    told.set(route.upstream, names)
  }
  return told
}

function toldNames({ forward }: RouteSettings): string[] {
  return forward.headers === false ? [] : Object.values(forward.headers)
}

type Compile<T> = (told: ReadonlySet<string>, forward: ForwardSettings) => T

/** @returns the same, made once for each distinct key */
function shared<T>(compile: Compile<T>): (...parts: [...Parameters<Compile<T>>, key: unknown]) => T {
  const made = new Map<string, T>()
  return (told, forward, key) => {
    const text = JSON.stringify(key)
    let found = made.get(text)
    if (found === undefined) made.set(text, (found = compile(told, forward)))
    return found
  }
}
