/** A published key set, looked at for what is weak, ambiguous or missing in it. */
import type { VerificationKey } from '../../ports/key-sets.ts'
import { readKeySet } from '../jwk-set.ts'
import { fits } from '../key-fit.ts'
import { found, quoted, type OnlineFinding, type Place } from './findings.ts'

export interface KeyNeeds {
  /** What a signing key's `use` must say. */
  readonly use: 'sig' | 'jwt-svid'
  /** Who verifies with these keys, and by which algorithms. */
  readonly verifiers: readonly { readonly by: string; readonly algorithms: readonly string[] }[]
}

type Jwk = Readonly<Record<string, unknown>>

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const
/** Of a key that is there for another purpose: nothing to say about it. */
const otherUses: readonly unknown[] = ['enc', 'x509-svid']
const leastRsaBits = 2_048

export function judgeKeys(name: string, document: Jwk, needs: KeyNeeds): OnlineFinding[] {
  const place: Place = { name }
  const published = document['keys']
  if (!Array.isArray(published)) {
    return [found('provider-keys', place, 'its key set has no list of keys')]
  }
  const jwks = (published as unknown[]).map(asObject)
  const usable = jwks.flatMap((jwk) => usableOf(jwk, needs) ?? [])
  return [
    ...jwks.flatMap((jwk, index) => judgeKey(place, jwk, index, needs)),
    ...judgeFit(place, usable, needs),
    ...judgeIds(place, usable),
  ]
}

function judgeKey(place: Place, jwk: Jwk, index: number, needs: KeyNeeds): OnlineFinding[] {
  const { kty, use, kid } = jwk
  const key = kid === undefined ? `key ${index + 1}` : `key ${quoted(kid)}`
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) {
    return [found('provider-key-private', place, `${key} is published with its secret half`)]
  }
  if (otherUses.includes(use)) return []
  const bits = kty === 'RSA' ? bitsOf(jwk['n']) : undefined
  if (bits !== undefined && bits < leastRsaBits) {
    return [found('provider-key-weak', place, `${key} is RSA of ${bits} bits`)]
  }
  if (usableOf(jwk, needs) !== undefined) return []
  if (kty === 'RSA' && (use === undefined || use === needs.use) && isSignature(jwk['alg'])) {
    return [
      found('provider-key-weak', place, `${key} is RSA with a modulus or an exponent that is not sound`),
    ]
  }
  const said = (['kty', 'crv', 'use', 'alg'] as const)
    .filter((member) => jwk[member] !== undefined)
    .map((member) => `${member} ${quoted(jwk[member])}`)
  return [found('provider-key-use', place, `${key} cannot check a signature here (${said.join(', ')})`)]
}

function judgeFit(
  place: Place,
  usable: readonly VerificationKey[],
  { verifiers }: KeyNeeds,
): OnlineFinding[] {
  if (usable.length === 0) return [found('provider-keys', place, 'none of its keys can check a signature')]
  const unserved = verifiers.filter(
    ({ algorithms }) => !algorithms.some((alg) => usable.some((key) => fits(key, alg))),
  )
  const findings = unserved.map(({ by, algorithms }) =>
    found('provider-keys', place, `no key fits the algorithms of ${by} (${algorithms.join(', ')})`),
  )
  return usable.length === 1
    ? [...findings, found('provider-few-keys', place, 'it publishes one key')]
    : findings
}

function judgeIds(place: Place, usable: readonly VerificationKey[]): OnlineFinding[] {
  const findings: OnlineFinding[] = []
  const nameless = usable.filter(({ kid }) => kid === undefined)
  if (nameless.length > 0 && usable.length > 1) {
    findings.push(
      found('provider-key-ids', place, `${nameless.length} of its ${usable.length} keys have no \`kid\``),
    )
  }
  for (const [kid, keys] of Map.groupBy(usable, (key) => key.kid)) {
    if (kid !== undefined && keys.length > 1) {
      findings.push(found('provider-key-ids', place, `${keys.length} keys have the \`kid\` ${quoted(kid)}`))
    }
  }
  return findings
}

/** The key as the gateway would take it, read by the same code. */
function usableOf(jwk: Jwk, { use }: KeyNeeds): VerificationKey | undefined {
  try {
    return readKeySet({ keys: [jwk] }, new Map(), use)
      .values()
      .next().value
  } catch {
    return undefined
  }
}

function bitsOf(modulus: unknown): number | undefined {
  if (typeof modulus !== 'string') return undefined
  const bytes = Buffer.from(modulus, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first]!) - 24)
}

function isSignature(alg: unknown): boolean {
  return alg === undefined || (typeof alg === 'string' && /^[RP]S(?:256|384|512)$/.test(alg))
}

function asObject(value: unknown): Jwk {
  return typeof value === 'object' && value !== null ? (value as Jwk) : {}
}
