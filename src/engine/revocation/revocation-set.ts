/** What each kind of revocation covers. Look-ups cost a few maps, however many revocations stand. */
import type { Revocation, RevocationFacts } from '../../ports/revocations.ts'

export interface RevocationSet {
  /** Takes an entry as the store has it now; the store joins what is said of one thing, so the latest word stands alone. */
  put(revocation: Revocation): void
  covers(facts: RevocationFacts): boolean
  /** Forgets entries whose end has passed. */
  dropEnded(now: number): void
  readonly size: number
}

interface Bound {
  /** Refuses what was issued at or before; Infinity where it is permanent. */
  readonly until: number
  readonly endsAt: number
}

/** One issuer's entries; those for any issuer stand under the empty one. */
interface PerIssuer {
  readonly jti: Map<string, Bound>
  readonly session: Map<string, Bound>
  readonly subject: Map<string, Bound>
  readonly client: Map<string, Bound>
  readonly certificate: Map<string, Bound>
  /** Under the empty name: all that the issuer issued. */
  readonly issuer: Map<string, Bound>
}

const anyIssuer = ''

export function createRevocationSet(): RevocationSet {
  const issuers = new Map<string, PerIssuer>()
  let size = 0

  function put(revocation: Revocation): void {
    const bounds = entriesOf(revocation.issuer ?? anyIssuer)[revocation.kind]
    const value = revocation.value ?? ''
    if (!bounds.has(value)) size += 1
    bounds.set(value, {
      until: revocation.permanent ? Infinity : revocation.at,
      endsAt: revocation.expiresAt ?? Infinity,
    })
  }

  function entriesOf(issuer: string): PerIssuer {
    let entries = issuers.get(issuer)
    if (entries === undefined) {
      entries = {
        jti: new Map(),
        session: new Map(),
        subject: new Map(),
        client: new Map(),
        certificate: new Map(),
        issuer: new Map(),
      }
      issuers.set(issuer, entries)
    }
    return entries
  }

  function dropEnded(now: number): void {
    for (const entries of issuers.values()) {
      for (const bounds of Object.values(entries) as Map<string, Bound>[]) {
        for (const [value, { endsAt }] of bounds) {
          if (endsAt <= now && bounds.delete(value)) size -= 1
        }
      }
    }
  }

  return {
    put,
    covers: (facts) => coversIn(issuers.get(facts.issuer), facts) || coversIn(issuers.get(anyIssuer), facts),
    dropEnded,
    get size() {
      return size
    },
  }
}

function coversIn(entries: PerIssuer | undefined, facts: RevocationFacts): boolean {
  if (entries === undefined) return false
  const { issuedAt } = facts
  return (
    // One token and one session are named whole: when they were issued does not matter.
    has(entries.jti, facts.jti) ||
    has(entries.session, facts.session) ||
    reaches(entries.subject, facts.subject, issuedAt) ||
    reaches(entries.client, facts.client, issuedAt) ||
    reaches(entries.certificate, facts.certificate, issuedAt) ||
    reaches(entries.issuer, '', issuedAt)
  )
}

function has(bounds: Map<string, Bound>, value: string | undefined): boolean {
  return value !== undefined && bounds.size > 0 && bounds.has(value)
}

/** A credential that does not say when it was issued may be older than the revocation: it counts as covered. */
function reaches(
  bounds: Map<string, Bound>,
  value: string | undefined,
  issuedAt: number | undefined,
): boolean {
  if (value === undefined || bounds.size === 0) return false
  const bound = bounds.get(value)
  return bound !== undefined && (issuedAt === undefined || Number.isNaN(issuedAt) || issuedAt <= bound.until)
}
