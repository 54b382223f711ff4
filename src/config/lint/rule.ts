/** What a finding is, and what a rule that finds it looks like. */
import type { AuthenticateSettings, Configuration, RouteSettings } from '../../configuration.ts'
import type { Location } from '../fault.ts'

export const severities = ['error', 'warning', 'note'] as const
export type Severity = (typeof severities)[number]

/** A weakness of a configuration that is valid. */
export interface Weakness {
  /** Kebab-case; stable, since people silence and count by it. */
  readonly id: string
  readonly severity: Severity
  /** The key's path, such as `routes[2].authorize`; empty where no key is meant. */
  readonly path: string
  /** What is weak, and what could come of it. */
  readonly message: string
  /** What to do. */
  readonly fix: string
}

export type Finding = Weakness & Location

/** What is known besides the configuration. */
export interface LintFacts {
  /** As `process.version` has it. */
  readonly nodeVersion: string
  /** How many keys in the store never expire, where somebody counted. */
  readonly keysWithoutExpiry?: number
  /** Addresses outside `trustedProxies` that were seen to send forwarding headers. */
  readonly untrustedForwarders?: readonly string[]
  /** Paths of secrets that are written out in the file. */
  readonly literalSecrets?: readonly string[]
}

/** One kind of weakness. To add one: a file in `rules/`, and a line in `registry.ts`. */
export interface Rule {
  readonly id: string
  /** The usual severity; a single finding may be milder. */
  readonly severity: Severity
  /** For docs/checks.md: what it is about. */
  readonly about: string
  /** The remedy. */
  readonly fix: string
  readonly find: (configuration: Configuration, facts: LintFacts) => Iterable<Found>
}

export interface Found {
  readonly path: string
  readonly message: string
  /** Where this one is milder than usual. */
  readonly severity?: Severity
}

/** The names of the authenticators that a route takes. */
export function namesOf(authenticate: AuthenticateSettings): readonly string[] {
  return authenticate.mode === 'none' ? [] : authenticate.authenticators
}

/** Each route with its path in the configuration. */
export function* routesWithPaths({ routes }: Configuration): Generator<readonly [RouteSettings, string]> {
  for (const [index, route] of routes.entries()) yield [route, `routes[${index}]`]
}
