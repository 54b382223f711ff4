/** Proves JSON Web Tokens of one provider, and remembers the good ones. */
import type { JwtSettings } from './settings.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { KeySet } from '../../../ports/key-sets.ts'
import type { RevocationCheck } from '../../../ports/revocations.ts'
import { ownText } from '../../fields.ts'
import { bindTokens } from '../../bindings/bind.ts'
import type { ProofJudge } from '../../bindings/dpop.ts'
import { tokenPlaces, tokenWays } from '../../bindings/settings.ts'
import { metadataUrl } from '../../resources/resource.ts'
import { rejected, type Outcome, type Rejected, type Verified } from '../../outcome.ts'
import type { Profile } from '../../providers/profile.ts'
import type { Authenticator, Presented, SubjectToken } from '../authenticator.ts'
import { isAddressedTo, judgeClaims } from './claims.ts'
import { maxTokenLength, type CompactToken } from './compact.ts'
import { judgeHeader, type Header } from './header.ts'
import { mapIdentity, type Mapped } from './identity.ts'
import { judgeSignature, type KeySource } from './judge-signature.ts'
import { judgeKind } from './token-kind.ts'
import { createForeignTokens, type ForeignTokens, type Peeked } from './peek.ts'
import { compileRules, type JwtRules } from './rules.ts'
import { cameBy, isRevoked } from '../token-facts.ts'
import { createTokenCache, isKeyCurrent, toRemember } from './token-cache.ts'
import { judgeTimes, readTimes, type Times } from './times.ts'

export interface JwtDependencies {
  readonly provider: { readonly profile: Profile; readonly keySet: KeySet }
  readonly clock: Clock
  readonly revocations: RevocationCheck
  readonly proofs: ProofJudge
  /** Verified tokens to remember; 10,000 by default. */
  readonly cacheSize?: number
  /** Each time a token is looked up among the verified ones. */
  readonly onCache?: (outcome: 'hit' | 'miss') => void
}

/** How well a token's unverified claims fit: among authenticators of its issuer, one whose audience it names comes first. */
export type Affinity = 'audience' | 'issuer' | 'none'

export interface JwtAuthenticator extends Authenticator {
  readonly type: 'jwt'
  /** The exact issuers; templates with `{tenantid}` for a multi-tenant provider. */
  readonly issuers: readonly string[]
  acceptsIssuer(issuer: string): boolean
  affinity(token: string): Affinity
  fitsAudience(presented: Presented): boolean
  recall(presented: Presented): Outcome | undefined
  verify(presented: Presented): Outcome | Promise<Outcome>
}

/** A token that passed every check which needs no key. */
interface Candidate {
  readonly token: CompactToken
  readonly header: Header
  readonly times: Times
}

/**
 * Takes three-part tokens whose `iss` is the provider's; a token of anybody else is another authenticator's.
 * A new instance remembers nothing, so a reload keeps it exactly while authenticator and provider are unchanged.
 * @throws TypeError when the settings cannot work (an unknown algorithm, HMAC mixed with public keys, a bad secret,
 * no audience where the provider has no rule of its own): validation reports these first
 */
export function createJwtAuthenticator(
  settings: JwtSettings,
  { provider: { profile, keySet }, clock, revocations, proofs, cacheSize, onCache }: JwtDependencies,
): JwtAuthenticator {
  const metadata = settings.resource && metadataUrl(settings.resource.id)
  const rules = compileRules(settings, profile)
  const tokens = createTokenCache(cacheSize)
  const foreign = createForeignTokens()

  const affinity = (token: string): Affinity => {
    if (tokens.has(token)) return 'audience'
    if (foreign.has(token)) return 'none'
    const seen = foreign.peek(token)
    if (seen === undefined) return 'none'
    const issuer = profile.issuerOf(seen.names)
    if (issuer !== undefined && profile.acceptsIssuer(issuer))
      return namesAudience(seen, rules) ? 'audience' : 'issuer'
    foreign.add(token)
    return 'none'
  }

  const recall = ({ value, place }: Presented): Outcome | undefined => {
    const entry = tokens.get(value)
    if (entry === undefined) return undefined
    const now = clock.now()
    if (now >= entry.deadline || now < entry.earliest || !isKeyCurrent(entry, keySet)) {
      tokens.delete(value)
      return undefined
    }
    return isRevoked(entry, revocations) ? rejected('token_revoked') : cameBy(place, entry.verified)
  }

  /** The rest, once the key is known (or known not to be had). Expiry and revocation are told last: only of a good token. */
  const conclude = (
    { token, header, times }: Candidate,
    presented: Presented,
    source: KeySource,
  ): Outcome => {
    const forged = judgeSignature(header.alg, token, source, rules)
    if (forged !== undefined) return forged
    const mapped = mapIdentity(token.claims, profile, settings.name)
    if ('outcome' in mapped) return mapped
    const now = clock.now()
    const fault = judgeClient(mapped, rules) ?? judgeTimes(times, now, rules)
    if (fault !== undefined) return fault
    const entry = toRemember(mapped, times, presented.place, source, rules)
    if (now >= entry.deadline) return rejected('token_expired')
    if (isRevoked(entry, revocations)) return rejected('token_revoked')
    tokens.set(ownText(presented.value), entry)
    return entry.verified
  }

  const verify = (presented: Presented): Outcome | Promise<Outcome> => {
    const candidate = judgeUnsigned(presented.value, foreign, rules)
    if ('outcome' in candidate) return candidate
    if (rules.secret !== undefined) return conclude(candidate, presented, 'secret')
    const { alg, kid } = candidate.header
    const lookup = keySet.find(kid === undefined ? { alg } : { alg, kid })
    return lookup instanceof Promise
      ? lookup.then((found) => conclude(candidate, presented, found))
      : conclude(candidate, presented, lookup)
  }

  return Object.freeze({
    name: settings.name,
    type: 'jwt',
    places: tokenPlaces(settings.in),
    challenges: tokenWays(settings.binding.mode, metadata),
    ...(metadata === undefined ? {} : { resourceMetadata: metadata }),
    binding: bindTokens(settings.binding, { clock, proofs }),
    issuers: profile.issuers,
    acceptsIssuer: (issuer: string) => profile.acceptsIssuer(issuer),
    affinity,
    takes: ({ value }: Presented) => (affinity(value) === 'none' ? 'no' : 'yes'),
    fitsAudience: ({ value }: Presented) => affinity(value) === 'audience',
    recall(presented: Presented) {
      const outcome = recall(presented)
      onCache?.(outcome === undefined ? 'miss' : 'hit')
      return outcome
    },
    subjectToken: (_proven: Verified, { value }: Presented): SubjectToken => ({
      token: value,
      type: settings.accept === 'id-token' ? 'id_token' : 'access_token',
    }),
    verify,
  } satisfies JwtAuthenticator)
}

/** Everything that can be said without a key. Cheap, so that a stranger's rubbish costs no signature and no fetch. */
function judgeUnsigned(value: string, tokens: ForeignTokens, rules: JwtRules): Candidate | Rejected {
  if (value.length > maxTokenLength) return rejected('token_too_large')
  const token = tokens.parsed(value)
  if (token === undefined) return rejected('token_malformed')
  const header = judgeHeader(token.header, rules)
  if ('outcome' in header) return header
  const fault = judgeClaims(token.claims, rules) ?? judgeKind(token.claims, header.isAccessToken, rules)
  if (fault !== undefined) return fault
  const times = readTimes(token.claims)
  return 'outcome' in times ? times : { token, header, times }
}

function judgeClient({ identity }: Mapped, { clients }: JwtRules): Rejected | undefined {
  if (clients.length === 0) return undefined
  return identity.client !== undefined && clients.includes(identity.client)
    ? undefined
    : rejected('token_client')
}

function namesAudience({ audiences, client }: Peeked, { audience, clients }: JwtRules): boolean {
  if (audience !== undefined) return isAddressedTo(audience, audiences)
  return client !== undefined && clients.includes(client)
}
