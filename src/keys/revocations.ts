/** Revocation of what others issued: tokens, subjects, clients, sessions, certificates, or all of an issuer's until a time. */
import type { Configuration } from '../configuration.ts'
import { formatTime } from '../engine/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Revocation, RevocationKind, RevocationStore } from '../ports/revocations.ts'
import { Checker } from './checks.ts'
import { credentialEvent, type Actor, type Recorder } from './events.ts'
import { issuersFor, longestLife } from './issuers.ts'
import { KeyProblem, noRevocation } from './problem.ts'
import type { EndedRevocation, NewRevocation } from './schemas.ts'

export interface RevocationManagerOptions {
  readonly store: Pick<RevocationStore, 'add' | 'bound' | 'list'>
  readonly audit: Recorder
  readonly clock: Clock
  readonly configuration: () => Pick<Configuration, 'authenticators' | 'providers'>
  /** Awaited after the store took it: a running gateway refreshes its index, so that the revocation holds when the answer is given. */
  readonly afterwards?: () => Promise<void>
}

/** Times are RFC 3339. */
export interface RevocationView {
  readonly kind: RevocationKind
  readonly issuer?: string
  readonly value?: string
  readonly at: string
  readonly permanent: boolean
  readonly expiresAt?: string
  readonly reason?: string
  readonly createdAt: string
}

export interface Revoked {
  /** One entry for each issuer that it holds for. */
  readonly revocations: readonly RevocationView[]
  /** What the operator should know, such as an issuer that no provider has. */
  readonly notices: readonly string[]
}

/** Methods throw a `KeyProblem` for what cannot be done, and anything else for what broke. */
export interface RevocationManager {
  revoke(input: NewRevocation, by: Actor): Promise<Revoked>
  /**
   * Lets what is issued from now on pass again, where a revocation refuses it too (a permanent one, or one until a time to
   * come). What was issued before stays refused: a revocation is never taken back.
   */
  end(input: EndedRevocation, by: Actor): Promise<readonly RevocationView[]>
  list(): Promise<readonly RevocationView[]>
}

export function createRevocationManager(options: RevocationManagerOptions): RevocationManager {
  const { store, audit, clock } = options

  async function revoke(input: NewRevocation, by: Actor): Promise<Revoked> {
    const now = clock.now()
    const facts = readFacts(input)
    const configuration = options.configuration()
    const { issuers, notices } = issuersFor(configuration, input.kind, input.issuer)
    const revocations: Revocation[] = issuers.map((issuer) => {
      const expiresAt = endOf(input, facts.expiresAt, longestLife(configuration, issuer), now)
      return {
        kind: input.kind,
        ...(issuer === undefined ? {} : { issuer }),
        ...(facts.value === undefined ? {} : { value: facts.value }),
        at: facts.before ?? now,
        permanent: input.permanent === true,
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(input.reason === undefined ? {} : { reason: input.reason }),
        createdAt: now,
      }
    })
    for (const revocation of revocations) await store.add(revocation)
    await options.afterwards?.()
    for (const revocation of revocations) {
      const { createdAt: _, ...data } = viewOf(revocation)
      await audit.record(credentialEvent(now, by, { change: 'revoked', ...data }))
    }
    const isAhead = facts.before !== undefined && facts.before > now
    const ahead = 'its time is still to come: what is issued until then is refused as well'
    return { revocations: revocations.map(viewOf), notices: isAhead ? [...notices, ahead] : notices }
  }

  async function end(input: EndedRevocation, by: Actor): Promise<readonly RevocationView[]> {
    const now = clock.now()
    const value = readEnded(input)
    const { issuers } = issuersFor(options.configuration(), input.kind, input.issuer)
    const bounded: Pick<Revocation, 'kind' | 'issuer' | 'value'>[] = []
    for (const issuer of issuers) {
      const entry = {
        kind: input.kind,
        ...(issuer === undefined ? {} : { issuer }),
        ...(value === undefined ? {} : { value }),
      }
      if (await store.bound(entry, now)) bounded.push(entry)
    }
    if (bounded.length === 0) throw noRevocation()
    await options.afterwards?.()
    const reason = input.reason === undefined ? {} : { reason: input.reason }
    for (const entry of bounded) {
      const data = { change: 'revocation-ended', ...entry, at: formatTime(now), ...reason }
      await audit.record(credentialEvent(now, by, data))
    }
    const standing = await store.list()
    return standing
      .filter(({ kind, issuer, value: of }) =>
        bounded.some((entry) => entry.kind === kind && entry.issuer === issuer && entry.value === of),
      )
      .map(viewOf)
  }

  return {
    revoke,
    end,
    list: async () => (await store.list()).map(viewOf),
  }
}

interface Facts {
  readonly value: string | undefined
  readonly before: number | undefined
  readonly expiresAt: number | undefined
}

function readFacts(input: NewRevocation): Facts {
  const checker = new Checker()
  const { kind } = input
  checker.optionalText('issuer', input.issuer, 2_048)
  checker.optionalText('reason', input.reason, 256)
  const before = checker.time('before', input.before)
  const expiresAt = checker.time('expiresAt', input.expiresAt)
  if (kind === 'issuer') {
    if (input.issuer === undefined) checker.fault('issuer', 'must say whose credentials')
    if (input.before === undefined) checker.fault('before', 'must say until when they were issued')
    if (input.value !== undefined) checker.fault('value', 'has no meaning for an issuer')
    if (input.permanent === true) {
      checker.fault('permanent', 'has no meaning for an issuer: take its provider out of the configuration')
    }
  } else {
    if (input.value === undefined) checker.fault('value', `must say which ${kind}`)
    else checker.text('value', input.value, 2_048)
    if (input.before !== undefined) checker.fault('before', 'is only for an issuer')
  }
  if (input.expiresAt !== undefined && kind !== 'jti') checker.fault('expiresAt', 'is only for a jti')
  const value = kind === 'certificate' ? checker.fingerprint('value', input.value) : input.value
  if (checker.faults.length > 0) throw new KeyProblem('invalid', checker.faults)
  return { value, before, expiresAt }
}

function readEnded(input: EndedRevocation): string | undefined {
  const checker = new Checker()
  checker.text('issuer', input.issuer, 2_048)
  checker.optionalText('reason', input.reason, 256)
  if (input.kind === 'issuer') {
    if (input.value !== undefined) checker.fault('value', 'has no meaning for an issuer')
  } else if (input.value === undefined) checker.fault('value', `must say which ${input.kind}`)
  const value = input.kind === 'certificate' ? checker.fingerprint('value', input.value) : input.value
  if (checker.faults.length > 0) throw new KeyProblem('invalid', checker.faults)
  return value
}

/**
 * A token's entry is kept until the token can be no good: its `exp`, else the longest life that its issuer's tokens may
 * have, else for ever. All other entries stand for ever.
 */
function endOf(
  input: NewRevocation,
  expiresAt: number | undefined,
  longest: number | undefined,
  now: number,
): number | undefined {
  if (input.kind !== 'jti') return undefined
  // A clock that runs behind ours still takes the token a little after its end.
  if (expiresAt !== undefined) return Math.max(expiresAt, now) + afterExp
  return longest === undefined ? undefined : now + longest
}

const afterExp = 3_600_000

function viewOf(revocation: Revocation): RevocationView {
  const { at, expiresAt, createdAt, ...rest } = revocation
  return {
    ...rest,
    at: formatTime(at),
    ...(expiresAt === undefined ? {} : { expiresAt: formatTime(expiresAt) }),
    createdAt: formatTime(createdAt),
  }
}
