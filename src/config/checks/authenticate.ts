/** Whether it is clear, on each route, who may come in and which authenticator judges a credential. */
import type { ParsedAuthenticator } from '../../engine/authenticators/kind.ts'
import { placesShared } from '../../engine/authenticators/places.ts'
import { kindOf } from '../../engine/authenticators/registry.ts'
import { factsFor, placesOf } from './credentials.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { authenticateText, type ParsedAuthenticate } from '../schema/routes.ts'
import { routesOf, type Check, type CheckContext } from './check.ts'
import { authenticateMembers, namesIn } from './names.ts'

/** A route that says nothing would be open, or closed, by accident: neither may be. */
export const checkAuthenticateWritten: Check = function* (context) {
  const { defaults } = context.configuration
  if (defaults.authenticate === 'none') {
    yield {
      path: ['defaults', 'authenticate'],
      message: 'routes are never public by default',
      expected: 'authenticators here, and `authenticate: none` on each route that is meant to be public',
    }
  }
  for (const { route, path } of routesOf(context)) {
    if (route.authenticate !== undefined || defaults.authenticate !== undefined) continue
    yield {
      path: [...path, 'authenticate'],
      message: 'nothing says who may come in',
      expected: `${authenticateText} for a public route (here, or under \`defaults\`)`,
    }
  }
}

export const checkAuthenticateForms: Check = function* (context) {
  for (const { authenticate, path } of authenticateMembers(context)) {
    if (typeof authenticate === 'object' && !Array.isArray(authenticate))
      yield* checkMembers(authenticate, path)
    yield* checkRepeated(authenticate, path)
  }
}

function* checkMembers(authenticate: object, path: Path): Generator<Complaint> {
  const members = Object.keys(authenticate)
  if (members.length !== 1) {
    yield {
      path,
      message:
        members.length === 0 ? 'nothing says who may come in' : '`all` and `optional` exclude each other',
      expected: '{ all: […] } or { optional: […] }',
    }
  }
}

function* checkRepeated(authenticate: ParsedAuthenticate, path: Path): Generator<Complaint> {
  const seen = new Set<string>()
  for (const { name, path: place } of namesIn(authenticate, path)) {
    if (seen.has(name))
      yield { path: place, message: 'this authenticator stands here already', expected: 'each one once' }
    seen.add(name)
  }
}

/** Two authenticators that could both take one credential would leave it to the order of a list who the caller is. */
export const checkCompetition: Check = function* (context) {
  const { authenticators } = context.configuration
  for (const { authenticate, path } of authenticateMembers(context)) {
    const places = namesIn(authenticate, path)
    for (const [index, { name, path: place }] of places.entries()) {
      const rival = places
        .slice(0, index)
        .find(
          (other) =>
            other.name !== name && compete(context, authenticators[other.name], authenticators[name]),
        )
      if (rival !== undefined) {
        yield {
          path: place,
          message: `"${rival.name}" and "${name}" could take the same credential`,
          expected: expectedOf(authenticators[name]!),
        }
      }
    }
  }
}

function expectedOf({ type }: ParsedAuthenticator): string {
  return kindOf(type)?.apart ?? 'two places (`in`), or one of the two on this route'
}

function compete(
  context: CheckContext,
  one: ParsedAuthenticator | undefined,
  other: ParsedAuthenticator | undefined,
): boolean {
  if (one === undefined || other === undefined || one.type !== other.type) return false
  const { competes } = kindOf(one.type) ?? {}
  if (competes === undefined) return placesShared(placesOf(one), placesOf(other))
  return competes(one, other, factsFor(context, ['authenticators']))
}
