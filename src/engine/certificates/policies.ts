/**
 * Certificate policies, for the one question that matters here: does an authority demand an explicit policy, and is one valid for
 * the whole path? Any policy will do for us, so one level of the policy tree is enough, and it cannot blow up.
 *
 * @see RFC 5280 section 6.1, RFC 9618 (why not a tree)
 */
import type { Certificate } from './certificate.ts'
import { oids } from './oids.ts'

/** More policies than that at one level are an attack, not a practice. */
const most = 512

/** The state that walks down a path, from the authority's first certificate to the leaf. */
export class PolicyCheck {
  /** Valid policy → the policies that it may be called by in the next certificate; undefined once none is valid. */
  #level: Map<string, ReadonlySet<string>> | undefined = new Map([
    [oids.anyPolicy, new Set([oids.anyPolicy])],
  ])
  #explicit: number
  #mapping: number
  #any: number

  /** @param length - of the path, the trust anchor not counted */
  constructor(length: number) {
    this.#explicit = length + 1
    this.#mapping = length + 1
    this.#any = length + 1
  }

  /** @returns in words why the path ends here; undefined to go on */
  step(certificate: Certificate, isLeaf: boolean, isSelfIssued: boolean): string | undefined {
    this.#level = this.#next(certificate, isLeaf, isSelfIssued)
    if (this.#level !== undefined && this.#level.size > most) return 'too many policies'
    if (this.#explicit === 0 && this.#level === undefined) return 'no policy that is valid for the path'
    if (isLeaf) return this.#conclude(certificate)
    this.#map(certificate)
    this.#count(certificate, isSelfIssued)
    return undefined
  }

  #next(
    { policies }: Certificate,
    isLeaf: boolean,
    isSelfIssued: boolean,
  ): Map<string, ReadonlySet<string>> | undefined {
    const before = this.#level
    if (before === undefined || policies === undefined) return undefined
    const expected = new Set([...before.values()].flatMap((names) => [...names]))
    const next = new Map<string, ReadonlySet<string>>()
    for (const policy of policies) {
      if (policy === oids.anyPolicy) continue
      if (expected.has(policy) || before.has(oids.anyPolicy)) next.set(policy, new Set([policy]))
    }
    if (policies.has(oids.anyPolicy) && (this.#any > 0 || (!isLeaf && isSelfIssued))) {
      for (const policy of expected) if (!next.has(policy)) next.set(policy, new Set([policy]))
    }
    return next.size === 0 ? undefined : next
  }

  #map({ policyMappings }: Certificate): void {
    const level = this.#level
    if (policyMappings === undefined || level === undefined) return
    const mapped = new Map<string, Set<string>>()
    for (const [issuer, subject] of policyMappings) {
      const names = mapped.get(issuer) ?? new Set()
      mapped.set(issuer, names.add(subject))
    }
    for (const [policy, names] of mapped) {
      if (this.#mapping === 0) level.delete(policy)
      else if (level.has(policy) || level.has(oids.anyPolicy)) level.set(policy, names)
    }
    if (level.size === 0) this.#level = undefined
  }

  #count({ policyConstraints, inhibitAnyPolicy }: Certificate, isSelfIssued: boolean): void {
    if (!isSelfIssued) {
      this.#explicit = Math.max(0, this.#explicit - 1)
      this.#mapping = Math.max(0, this.#mapping - 1)
      this.#any = Math.max(0, this.#any - 1)
    }
    this.#explicit = Math.min(this.#explicit, policyConstraints?.requireExplicit ?? Infinity)
    this.#mapping = Math.min(this.#mapping, policyConstraints?.inhibitMapping ?? Infinity)
    this.#any = Math.min(this.#any, inhibitAnyPolicy ?? Infinity)
  }

  #conclude({ policyConstraints }: Certificate): string | undefined {
    this.#explicit = Math.max(0, this.#explicit - 1)
    if (policyConstraints?.requireExplicit === 0) this.#explicit = 0
    return this.#explicit === 0 && this.#level === undefined
      ? 'no policy that is valid for the path'
      : undefined
  }
}
